/** Retention of files' rows: what is left of a file once its bytes are gone. */
import type { Queryable } from "../pool.ts";

/**
 * Deletes rows of files that were deleted or had expired before `before` and have no bytes any more, the oldest first, at
 * most `limit`; returns how many. From then on `after` cannot name them either.
 */
export async function forgetFiles(db: Queryable, before: Date, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `/* files.forget */
    delete from files where number in (
      select number from files where blob is null and least(deleted_at, expires_at) <= $1 order by number limit $2)`,
    [before, limit],
  );
  return rowCount ?? 0;
}
