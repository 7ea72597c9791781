/** Keys as an admin sees them: never the key, nor its hash. */
import type { Queryable } from "../pool.ts";

export interface KeyRow {
  /** What the admin API names it by. */
  id: string;
  tenant: string;
  /** What its maker calls it; null: nothing. */
  name: string | null;
  /** The key's first characters. */
  hint: string;
  createdAt: Date;
  revokedAt: Date | null;
}

export const KEY_COLUMNS = `public_id as id, tenant, name, hint, created_at as "createdAt", revoked_at as "revokedAt"`;

/** A page of keys, newest first, of one tenant or (null) of all; null where `after`, which is exclusive, names no key of the list. */
export async function listKeys(
  db: Queryable,
  page: { tenant: string | null; limit: number; after: string | null },
): Promise<{ rows: KeyRow[]; hasMore: boolean } | null> {
  let before: number | null = null;
  if (page.after !== null) {
    const { rows } = await db.query<{ id: number }>(
      "/* keys.cursor */ select id from api_keys where public_id = $1 and ($2::text is null or tenant = $2)",
      [page.after, page.tenant],
    );
    if (rows[0] === undefined) return null;
    before = rows[0].id;
  }
  const { rows } = await db.query<KeyRow>(
    `/* keys.list */ select ${KEY_COLUMNS} from api_keys
    where ($1::text is null or tenant = $1) and ($2::bigint is null or api_keys.id < $2)
    order by api_keys.id desc limit $3`,
    [page.tenant, before, page.limit + 1],
  );
  return { rows: rows.slice(0, page.limit), hasMore: rows.length > page.limit };
}
