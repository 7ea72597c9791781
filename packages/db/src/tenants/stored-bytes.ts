/** How much of the object store a tenant's files fill. */
import type { Queryable } from "../pool.ts";
import { FILE_IS_LIVE } from "../files/file-view.ts";

/** Bytes of all files that are there for the tenant, those that batches wrote among them; deleted and expired ones do not count. */
export async function storedBytes(db: Queryable, tenant: string, now: Date): Promise<number> {
  const { rows } = await db.query<{ bytes: number }>(
    `/* tenants.stored_bytes */ select coalesce(sum(f.bytes), 0)::bigint as bytes from files f where ${FILE_IS_LIVE}`,
    [tenant, now],
  );
  return rows[0]?.bytes ?? 0;
}
