/** At most so many requests within any 60 seconds. */

const WINDOW_MS = 60_000;

export interface RateLimit {
  /** Null when the request is admitted, else the milliseconds until the next one would be. Refused ones do not count. */
  admit(nowMs: number): number | null;
}

/** A sliding window: it remembers when each of the last `requestsPerMinute` requests was admitted. */
export function createRateLimit(requestsPerMinute: number): RateLimit {
  const admittedAt = new Float64Array(requestsPerMinute).fill(Number.NEGATIVE_INFINITY);
  let oldest = 0;
  return {
    admit(nowMs) {
      const freeAt = (admittedAt[oldest] ?? 0) + WINDOW_MS;
      if (freeAt > nowMs) return freeAt - nowMs;
      admittedAt[oldest] = nowMs;
      oldest = (oldest + 1) % requestsPerMinute;
      return null;
    },
  };
}
