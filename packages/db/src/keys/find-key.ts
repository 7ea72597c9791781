/** Looks an API key up by its hash. */
import type { Queryable } from "../pool.ts";

export interface KeyView {
  /** What the admin API names it by. */
  id: string;
  tenant: string;
}

/** Null where no key has that SHA-256, or it was revoked. */
export async function findKey(db: Queryable, hash: Uint8Array): Promise<KeyView | null> {
  const { rows } = await db.query<KeyView>(
    "/* keys.find */ select public_id as id, tenant from api_keys where hash = $1 and revoked_at is null",
    [hash],
  );
  return rows[0] ?? null;
}
