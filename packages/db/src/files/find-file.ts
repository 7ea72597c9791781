/** Reads one file. */
import type { Queryable } from "../pool.ts";
import { FILE_IS_LIVE, SELECT_FILE, type FileView } from "./file-view.ts";

/** Null where the tenant has no such file, or has deleted it, or it has expired at `now`. */
export async function findFile(db: Queryable, tenant: string, id: string, now: Date): Promise<FileView | null> {
  const { rows } = await db.query<FileView>(`/* files.find */ ${SELECT_FILE} where ${FILE_IS_LIVE} and f.id = $3`, [
    tenant,
    now,
    id,
  ]);
  return rows[0] ?? null;
}
