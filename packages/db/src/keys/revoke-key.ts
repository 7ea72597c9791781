/** Takes a key out of use, for good. */
import type { Queryable } from "../pool.ts";

/** False where no key has that id. One that was revoked before keeps the time of the first. */
export async function revokeKey(db: Queryable, id: string, now: Date): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* keys.revoke */
    update api_keys set revoked_at = coalesce(revoked_at, greatest($2::timestamptz, created_at)) where public_id = $1`,
    [id, now],
  );
  return rowCount === 1;
}
