/** What the tenant of a request may have, by its tier. */
import { type Db, findTenant } from "@nightshift/db";
import { NO_LIMITS, type TierLimits, type Tiers } from "@nightshift/domain";

/** A changed tier takes hold after this, as a revoked key does. */
const CACHE_MS = 5_000;

/** More tenants than one API process sees in 5 s; beyond it the cache starts anew. */
const MAX_CACHED = 10_000;

/** The limits of a tenant, at most 5 s old. Rejects as the database does. */
export type TenantLimits = (tenant: string) => Promise<TierLimits>;

export interface TenantLimitsDeps {
  readonly db: Db;
  readonly clock: () => Date;
  readonly tiers: Tiers;
}

/** Asks Postgres for a tenant's tier and remembers it for 5 s; where no tier limits anything, nobody is asked. */
export function createTenantLimits({ db, clock, tiers }: TenantLimitsDeps): TenantLimits {
  if (tiers.isUnlimited) return () => Promise.resolve(NO_LIMITS);
  const cache = new Map<string, { readonly limits: TierLimits; readonly untilMs: number }>();
  return async (tenant) => {
    const nowMs = clock().getTime();
    const known = cache.get(tenant);
    if (known !== undefined && known.untilMs > nowMs) return known.limits;
    const limits = tiers.limitsOf((await findTenant(db, tenant))?.tier ?? null);
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(tenant, { limits, untilMs: nowMs + CACHE_MS });
    return limits;
  };
}
