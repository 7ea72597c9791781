/** Finds the limits of a tenant by its tier. */
import { type Db, findTenant } from "@nightshift/db";
import { NO_LIMITS, type TierLimits, type Tiers } from "@nightshift/domain";
import { LRUCache } from "lru-cache";

/** The time for which a changed tier can go unnoticed. It is the same for a revoked key. */
const CACHE_MS = 5_000;

/**
 * More tenants than one API process sees in 5 s. Beyond this number, the least recently seen tenant is looked up again.
 */
const MAX_CACHED = 10_000;

/** Resolves with the limits of a tenant, at most 5 s old. Rejects if the database query rejects. */
export type TenantLimits = (tenant: string) => Promise<TierLimits>;

export interface TenantLimitsDeps {
  readonly db: Db;
  readonly clock: () => Date;
  readonly tiers: Tiers;
}

/** Reads a tenant's tier from Postgres and caches it for 5 s. If no tier has a limit, it reads nothing. */
export function createTenantLimits({ db, clock, tiers }: TenantLimitsDeps): TenantLimits {
  if (tiers.isUnlimited) return () => Promise.resolve(NO_LIMITS);
  const now = (): number => clock().getTime();
  // lru-cache still returns an entry whose age equals its ttl.
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
