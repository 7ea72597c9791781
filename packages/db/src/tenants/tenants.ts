/** The rows of tenants: their tiers and weights, and the lock for decisions that count a tenant's rows. */
import type { Queryable, Tx } from "../pool.ts";

export interface TenantView {
  /** The tenant's name. */
  id: string;
  /** A tier of the configuration. Null stands for the tier `default`. */
  tier: string | null;
  /** The share of an upstream's window, relative to the weights of other tenants. It is above 0. */
  weight: number;
  createdAt: Date;
}

const TENANT_COLUMNS = `id, tier, weight, created_at as "createdAt"`;

/** Returns null if no key was ever created for the tenant. */
export async function findTenant(db: Queryable, id: string): Promise<TenantView | null> {
  const { rows } = await db.query<TenantView>(
    `/* tenants.find */ select ${TENANT_COLUMNS} from tenants where id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

/** Returns a page of all tenants, by name. `after` is exclusive, and does not have to name an existing tenant. */
export async function listTenants(
  db: Queryable,
  page: { limit: number; after: string | null },
): Promise<{ rows: TenantView[]; hasMore: boolean }> {
  const { rows } = await db.query<TenantView>(
    `/* tenants.list */
    select ${TENANT_COLUMNS} from tenants where $1::text is null or id > $1 order by id limit $2`,
    [page.after, page.limit + 1],
  );
  return { rows: rows.slice(0, page.limit), hasMore: rows.length > page.limit };
}

export interface TenantChange {
  /** Null sets the tier `default`. If omitted, the tier stays unchanged. */
  tier?: string | null;
  /** The weight is above 0. If omitted, it stays unchanged. */
  weight?: number;
}

/** Returns the changed tenant, or null if no tenant has this name. */
export async function setTenant(db: Queryable, id: string, change: TenantChange): Promise<TenantView | null> {
  const { rows } = await db.query<TenantView>(
    `/* tenants.set */
    update tenants set tier = case when $2 then $3 else tier end, weight = coalesce($4, weight)
    where id = $1 returning ${TENANT_COLUMNS}`,
    [id, change.tier !== undefined, change.tier ?? null, change.weight ?? null],
  );
  return rows[0] ?? null;
}

/**
 * Locks the tenant's row until the transaction ends. Take this lock before a decision that counts the tenant's rows.
 * The lock does not block inserts of rows that refer to the tenant. In the lock order it comes before `batch_progress`.
 */
export async function lockTenant(tx: Tx, tenant: string): Promise<void> {
  await tx.query("/* tenants.lock */ select 1 from tenants where id = $1 for no key update", [tenant]);
}
