/** Reads tenants: who there is, in which tier, with which share. */
import type { Queryable } from "../pool.ts";

export interface TenantView {
  /** Its name. */
  id: string;
  /** A tier of the configuration; null: the tier `default`. */
  tier: string | null;
  /** Share of an upstream's window against other tenants; above 0. */
  weight: number;
  createdAt: Date;
}

const SELECT_TENANT = `select id, tier, weight, created_at as "createdAt" from tenants`;

/** Null where no key was ever made for that tenant. */
export async function findTenant(db: Queryable, id: string): Promise<TenantView | null> {
  const { rows } = await db.query<TenantView>(`/* tenants.find */ ${SELECT_TENANT} where id = $1`, [id]);
  return rows[0] ?? null;
}

/** A page of all tenants, by name; `after` is exclusive and need not be a tenant any more. */
export async function listTenants(
  db: Queryable,
  page: { limit: number; after: string | null },
): Promise<{ rows: TenantView[]; hasMore: boolean }> {
  const { rows } = await db.query<TenantView>(
    `/* tenants.list */ ${SELECT_TENANT} where $1::text is null or id > $1 order by id limit $2`,
    [page.after, page.limit + 1],
  );
  return { rows: rows.slice(0, page.limit), hasMore: rows.length > page.limit };
}
