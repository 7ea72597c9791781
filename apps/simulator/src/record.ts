/** Records how often each request arrived and how it was answered, in bounded memory. */

/** The maximum number of keys that are counted separately. Requests with other keys only add to the totals. */
const MAX_KEYS = 2_000_000;

/** The maximum number of statuses kept for each key. Older statuses are dropped. */
const MAX_STATUSES = 32;

/** Recorded instead of a status if the simulator or the client cut the connection. */
export const CUT = 0;

/** Most keys are seen once. Their entry is a number instead of an object: the status, or PENDING before the answer. */
const PENDING = -1;

interface Repeated {
  count: number;
  statuses: number[];
}

/** The reply of GET /_simulator/stats. Times are in milliseconds since 1970, and null before the first request. */
export interface Stats {
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly inFlight: number;
  readonly maxInFlight: number;
  readonly firstAt: number | null;
  readonly lastAt: number | null;
  /** The number of different keys. */
  readonly distinct: number;
  /** The number of keys that were seen more than once. */
  readonly repeated: number;
  /** The number of requests whose key was not counted, because there were too many keys. */
  readonly uncounted: number;
}

/**
 * One line of GET /_simulator/seen. Status 0 means a cut connection. A request in flight does not have a status yet.
 */
export interface Seen {
  readonly key: string;
  readonly count: number;
  readonly statuses: readonly number[];
}

/** The record of all requests. */
export interface RequestRecord {
  /** Counts a request, and returns how often its key was seen, including this time. */
  begin(key: string, nowMs: number): number;
  /** Counts the answer to a request. */
  end(key: string, status: number): void;
  /** Keeps `body` as the latest body for `key`. Keeps bodies only for the `max` latest keys. */
  keep(key: string, body: Buffer, max: number): void;
  body(key: string): Buffer | null;
  inFlight(): number;
  stats(): Stats;
  seen(): Generator<Seen>;
  /** Deletes everything except the number of requests in flight. */
  reset(): void;
}

/** Creates an empty record. */
export function createRequestRecord(maxKeys = MAX_KEYS): RequestRecord {
  const entries = new Map<string, number | Repeated>();
  const bodies = new Map<string, Buffer>();
  const byStatus = new Map<number, number>();
  let inFlight = 0;
  let requests = 0;
  let maxInFlight = 0;
  let firstAt: number | null = null;
  let lastAt: number | null = null;
  let repeated = 0;
  let uncounted = 0;

  const countKey = (key: string): number => {
    const entry = entries.get(key);
    if (entry === undefined) {
      if (entries.size < maxKeys) entries.set(key, PENDING);
      else uncounted += 1;
      return 1;
    }
    if (typeof entry === "object") return (entry.count += 1);
    repeated += 1;
    entries.set(key, { count: 2, statuses: entry === PENDING ? [] : [entry] });
    return 2;
  };

  return {
    begin(key, nowMs) {
      requests += 1;
      inFlight += 1;
      maxInFlight = Math.max(maxInFlight, inFlight);
      firstAt ??= nowMs;
      lastAt = nowMs;
      return countKey(key);
    },
    end(key, status) {
      inFlight -= 1;
      byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
      const entry = entries.get(key);
      if (entry === PENDING) entries.set(key, status);
      else if (typeof entry === "object") entry.statuses = [...entry.statuses, status].slice(-MAX_STATUSES);
    },
    keep(key, body, max) {
      bodies.delete(key);
      bodies.set(key, body);
      for (const oldest of bodies.keys()) {
        if (bodies.size <= max) break;
        bodies.delete(oldest);
      }
    },
    body: (key) => bodies.get(key) ?? null,
    inFlight: () => inFlight,
    stats: () => ({
      requests,
      byStatus: Object.fromEntries(byStatus),
      inFlight,
      maxInFlight,
      firstAt,
      lastAt,
      distinct: entries.size,
      repeated,
      uncounted,
    }),
    *seen() {
      for (const [key, entry] of entries) yield { key, ...expand(entry) };
    },
    reset() {
      entries.clear();
      bodies.clear();
      byStatus.clear();
      requests = 0;
      maxInFlight = inFlight;
      firstAt = null;
      lastAt = null;
      repeated = 0;
      uncounted = 0;
    },
  };
}

function expand(entry: number | Repeated): Omit<Seen, "key"> {
  if (typeof entry === "object") return { count: entry.count, statuses: entry.statuses };
  return { count: 1, statuses: entry === PENDING ? [] : [entry] };
}
