/**
 * Limits the requests per minute of a tenant across all API processes. A process reserves a tenant's requests from
 * Postgres in small lots, so most requests need no query. The limit holds for each minute of the clock. The unused part
 * of a lot expires with the minute: at most a sixtieth of the limit for each additional process. Across the boundary of
 * two minutes, up to twice the limit can pass within 60 s.
 */
import { type Db, takeRequests } from "@nightshift/db";
import { errors } from "@nightshift/domain";
import { LRUCache } from "lru-cache";
import type { Authenticate } from "../middleware/authenticate.ts";
import type { TenantLimits } from "./tenant-limits.ts";

const MINUTE_MS = 60_000;
const LOTS_PER_MINUTE = 60;
const MAX_LOT = 1_000;

/**
 * More tenants than one API process sees in a minute. Beyond this number, the least recently seen tenant loses its lot.
 */
const MAX_TENANTS = 10_000;

export interface RequestRateDeps {
  readonly db: Db;
  readonly clock: () => Date;
  readonly limitsOf: TenantLimits;
}

/** The requests of a tenant's current minute that this process has reserved. */
interface Minute {
  readonly number: number;
  left: number;
  isUsedUp: boolean;
  /** The pending reservation, if any. All requests that find nothing left wait for it. */
  pending: Promise<void> | null;
}

/**
 * Authenticates a request, and then throws `rate_limit_exceeded` if it exceeds the limit of the tenant's tier. Requests
 * with invalid keys are not counted.
 */
export function limitRequests(deps: RequestRateDeps, authenticate: Authenticate): Authenticate {
  const minutes = new LRUCache<string, Minute>({ max: MAX_TENANTS });

  const minuteOf = (tenant: string): Minute => {
    const number = Math.floor(deps.clock().getTime() / MINUTE_MS);
    const known = minutes.get(tenant);
    if (known?.number === number) return known;
    const minute: Minute = { number, left: 0, isUsedUp: false, pending: null };
    minutes.set(tenant, minute);
    return minute;
  };

  const reserve = async (minute: Minute, tenant: string, limit: number): Promise<void> => {
    const wanted = Math.min(MAX_LOT, Math.max(1, Math.floor(limit / LOTS_PER_MINUTE)));
    try {
      const granted = await takeRequests(deps.db, { tenant, minute: minute.number, limit, wanted });
      minute.left += granted;
      minute.isUsedUp = granted === 0;
    } finally {
      minute.pending = null;
    }
  };

  const admit = async (tenant: string, limit: number): Promise<void> => {
    for (;;) {
      const minute = minuteOf(tenant);
      if (minute.left > 0) {
        minute.left -= 1;
        return;
      }
      if (minute.isUsedUp) throw errors.rateLimited(limit, msLeft(deps.clock()));
      minute.pending ??= reserve(minute, tenant, limit);
      await minute.pending;
    }
  };

  return async (request) => {
    const tenant = await authenticate(request);
    const { requestsPerMinute } = await deps.limitsOf(tenant);
    if (requestsPerMinute !== null) await admit(tenant, requestsPerMinute);
    return tenant;
  };
}

/**
 * Returns the milliseconds until the minute ends. It returns at most 59,999, because Node's SDK ignores a wait of a
 * minute or more (contract §5.3).
 */
function msLeft(now: Date): number {
  return Math.min(MINUTE_MS - 1, MINUTE_MS - (now.getTime() % MINUTE_MS));
}
