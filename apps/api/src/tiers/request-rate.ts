/**
 * Requests a minute of a tenant, over all API processes. A process takes its tenant's requests out of Postgres in small lots, so
 * that most requests ask nobody. Never more than the limit in one minute of the clock; a lot that its process does not use up is
 * lost with the minute: at most a sixtieth of the limit for each further process. Across a turn of the minute twice the limit may
 * come within sixty seconds.
 */
import { type Db, takeRequests } from "@nightshift/db";
import { errors } from "@nightshift/domain";
import { LRUCache } from "lru-cache";
import type { Authenticate } from "../middleware/authenticate.ts";
import type { TenantLimits } from "./tenant-limits.ts";

const MINUTE_MS = 60_000;
const LOTS_PER_MINUTE = 60;
const MAX_LOT = 1_000;

/** More tenants than one API process sees in a minute; beyond it the lot of the one that was not seen for longest is lost. */
const MAX_TENANTS = 10_000;

export interface RequestRateDeps {
  readonly db: Db;
  readonly clock: () => Date;
  readonly limitsOf: TenantLimits;
}

/** What this process has of a tenant's minute. */
interface Minute {
  readonly number: number;
  left: number;
  isUsedUp: boolean;
  /** The question under way, if there is one: all requests that find nothing left wait for the same answer. */
  asking: Promise<void> | null;
}

/** Authenticates, then refuses with `rate_limit_exceeded` what is beyond the tenant's tier. Wrong keys count for nobody. */
export function limitRequests(deps: RequestRateDeps, authenticate: Authenticate): Authenticate {
  const minutes = new LRUCache<string, Minute>({ max: MAX_TENANTS });

  const minuteOf = (tenant: string): Minute => {
    const number = Math.floor(deps.clock().getTime() / MINUTE_MS);
    const known = minutes.get(tenant);
    if (known?.number === number) return known;
    const minute: Minute = { number, left: 0, isUsedUp: false, asking: null };
    minutes.set(tenant, minute);
    return minute;
  };

  const ask = async (minute: Minute, tenant: string, limit: number): Promise<void> => {
    const wanted = Math.min(MAX_LOT, Math.max(1, Math.floor(limit / LOTS_PER_MINUTE)));
    try {
      const granted = await takeRequests(deps.db, { tenant, minute: minute.number, limit, wanted });
      minute.left += granted;
      minute.isUsedUp = granted === 0;
    } finally {
      minute.asking = null;
    }
  };

  const count = async (tenant: string, limit: number): Promise<void> => {
    for (;;) {
      const minute = minuteOf(tenant);
      if (minute.left > 0) {
        minute.left -= 1;
        return;
      }
      if (minute.isUsedUp) throw errors.rateLimited(limit, msLeft(deps.clock()));
      minute.asking ??= ask(minute, tenant, limit);
      await minute.asking;
    }
  };

  return async (request) => {
    const tenant = await authenticate(request);
    const { requestsPerMinute } = await deps.limitsOf(tenant);
    if (requestsPerMinute !== null) await count(tenant, requestsPerMinute);
    return tenant;
  };
}

/** Below a minute, which is the most that Node's SDK waits for (contract §5.3): whoever waits so long is in the next minute, or a millisecond before. */
function msLeft(now: Date): number {
  return Math.min(MINUTE_MS - 1, MINUTE_MS - (now.getTime() % MINUTE_MS));
}
