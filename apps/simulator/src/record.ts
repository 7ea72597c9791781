/** What the simulator saw: how often each request came and how it was answered, in bounded memory. */

/** Keys that are counted one by one; more are only counted together. */
const MAX_KEYS = 2_000_000;

/** Statuses kept of one key: the newest. */
const MAX_STATUSES = 32;

/** Stands in the place of a status where the connection was cut, by us or by the client. */
export const CUT = 0;

/** Most keys are seen once. Then the entry is that one status, or this while the answer is not out: no object. */
const PENDING = -1;

interface Repeated {
  count: number;
  statuses: number[];
}

/** The reply of GET /_simulator/stats. Times are milliseconds since 1970; null before the first request. */
export interface Stats {
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly inFlight: number;
  readonly maxInFlight: number;
  readonly firstAt: number | null;
  readonly lastAt: number | null;
  /** Keys seen. */
  readonly distinct: number;
  /** Keys seen more than once. */
  readonly repeated: number;
  /** Requests whose key was not counted, because there were too many. */
  readonly uncounted: number;
}

/** One line of GET /_simulator/seen. A status of 0 means that the connection was cut; one in flight has none yet. */
export interface Seen {
  readonly key: string;
  readonly count: number;
  readonly statuses: readonly number[];
}

/** All that is remembered of the requests. */
export interface SightingRecord {
  /** Counts a request that begins, and says how often its key was seen, this time included. */
  begin(key: string, nowMs: number): number;
  /** Counts its answer. */
  end(key: string, status: number): void;
  /** Keeps `body` as the key's last, among the `max` newest of all keys. */
  keep(key: string, body: Buffer, max: number): void;
  body(key: string): Buffer | null;
  inFlight(): number;
  stats(): Stats;
  seen(): Generator<Seen>;
  /** Forgets all but the requests that are in flight. */
  reset(): void;
}

/** An empty record. */
export function createSightingRecord(maxKeys = MAX_KEYS): SightingRecord {
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
