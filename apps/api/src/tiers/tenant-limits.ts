/** What the tenant of a request may have, by its tier. */
import { type Db, findTenant } from "@nightshift/db";
import { NO_LIMITS, type TierLimits, type Tiers } from "@nightshift/domain";
import { LRUCache } from "lru-cache";

/** A changed tier takes hold after this, as a revoked key does. */
const CACHE_MS = 5_000;

/** More tenants than one API process sees in 5 s; beyond it the one that was not seen for longest is asked for again. */
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
  const now = (): number => clock().getTime();
  // What is as old as its ttl is still good to lru-cache.
  const cache = new LRUCache<string, TierLimits>({
    max: MAX_CACHED,
    ttl: CACHE_MS - 1,
    ttlResolution: 0,
    perf: { now },
  });
  return async (tenant) => {
    const known = cache.get(tenant);
    if (known !== undefined) return known;
    const start = now();
    const limits = tiers.limitsOf((await findTenant(db, tenant))?.tier ?? null);
    cache.set(tenant, limits, { start });
    return limits;
  };
}
