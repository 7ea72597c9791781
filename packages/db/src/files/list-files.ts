/** Reads a page of a tenant's files: contract §1.1. */
import type { Queryable } from "../pool.ts";
import { FILE_IS_LIVE, SELECT_FILE, type FileView } from "./files.ts";

export interface FilePage {
  rows: FileView[];
  hasMore: boolean;
}

export interface FilePageRequest {
  limit: number;
  /** The order by creation time. */
  order: "asc" | "desc";
  /** The id of the last file of the previous page. Null for the first page. */
  after: string | null;
  /** Only files of this purpose are listed. Null for all files. */
  purpose: string | null;
}

/**
 * `after` is exclusive. Returns null if `after` does not name a file that the tenant ever had. `after` can name a
 * deleted file, because clients that clear a list delete the file that they page after.
 */
export async function listFiles(
  db: Queryable,
  tenant: string,
  now: Date,
  page: FilePageRequest,
): Promise<FilePage | null> {
  let cursor: number | null = null;
  if (page.after !== null) {
    const { rows } = await db.query<{ number: number }>(
      "/* files.cursor */ select number from files where tenant = $1 and id = $2",
      [tenant, page.after],
    );
    if (rows[0] === undefined) return null;
    cursor = rows[0].number;
  }
  const [isBeyond, direction] = page.order === "asc" ? [">", "asc"] : ["<", "desc"];
  const { rows } = await db.query<FileView>(
    `/* files.list */ ${SELECT_FILE}
    where ${FILE_IS_LIVE} and ($4::text is null or f.purpose = $4) and ($3::bigint is null
      or (f.created_at, f.number) ${isBeyond} (select c.created_at, c.number from files c where c.number = $3))
    order by f.created_at ${direction}, f.number ${direction} limit $5`,
    [tenant, now, cursor, page.purpose, page.limit + 1],
  );
  return { rows: rows.slice(0, page.limit), hasMore: rows.length > page.limit };
}
