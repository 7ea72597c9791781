/** Ends uploads whose time is over, so that their parts can go. */
import type { Queryable } from "../pool.ts";

/** Marks every pending upload that has expired at `now`; returns how many. */
export async function expireUploads(db: Queryable, now: Date): Promise<number> {
  const { rowCount } = await db.query(
    "/* uploads.expire */ update uploads set status = 'expired' where status = 'pending' and expires_at <= $1",
    [now],
  );
  return rowCount ?? 0;
}
