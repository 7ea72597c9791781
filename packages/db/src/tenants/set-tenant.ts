/** Changes a tenant's tier and share. */
import type { Queryable } from "../pool.ts";
import type { TenantView } from "./find-tenant.ts";

export interface TenantChange {
  /** Null: the tier `default`. Left out: as it was. */
  tier?: string | null;
  /** Above 0. Left out: as it was. */
  weight?: number;
}

/** The tenant as it is then; null where there is none of that name. */
export async function setTenant(db: Queryable, id: string, change: TenantChange): Promise<TenantView | null> {
  const { rows } = await db.query<TenantView>(
    `/* tenants.set */
    update tenants set tier = case when $2 then $3 else tier end, weight = coalesce($4, weight)
    where id = $1 returning id, tier, weight, created_at as "createdAt"`,
    [id, change.tier !== undefined, change.tier ?? null, change.weight ?? null],
  );
  return rows[0] ?? null;
}
