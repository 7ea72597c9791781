/** Calculates the speed of a batch from counts of finished lines over time. */

const WINDOW_MS = 10_000;

export interface LineRate {
  /** Adds an observation: how many lines were done at a time of a monotonic clock. */
  observe(atMs: number, done: number): void;
  /**
   * Returns the lines per second over the last 10 s or a little more. Null until there are observations at two
   * different times.
   */
  perSecond(): number | null;
}

/** Keeps the observations of about ten seconds. */
export function createLineRate(): LineRate {
  let seen: { readonly atMs: number; readonly done: number }[] = [];
  return {
    observe: (atMs, done) => {
      seen.push({ atMs, done });
      // Keep one observation from before the window, so that the rate covers all of it.
      const firstInside = seen.findIndex((one) => one.atMs >= atMs - WINDOW_MS);
      seen = seen.slice(Math.max(0, firstInside - 1));
    },
    perSecond: () => {
      const [first, last] = [seen[0], seen.at(-1)];
      if (first === undefined || last === undefined || last.atMs <= first.atMs) return null;
      // A retry subtracts its lines from the count.
      return Math.max(0, ((last.done - first.done) / (last.atMs - first.atMs)) * 1000);
    },
  };
}
