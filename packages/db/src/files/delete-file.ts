/** What DELETE /v1/files/{id} writes; the bytes go later, when nothing needs them any more. */
import type { Queryable } from "../pool.ts";
import { FILE_IS_LIVE } from "./file-view.ts";

/** False where the tenant has no such file, or has deleted it before, or it has expired at `now`. */
export async function deleteFile(db: Queryable, tenant: string, id: string, now: Date): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* files.delete */ update files f set deleted_at = $2 where ${FILE_IS_LIVE} and f.id = $3`,
    [tenant, now, id],
  );
  return rowCount === 1;
}
