/** How fast a batch's lines are done, from counts that are read now and then. */

const WINDOW_MS = 10_000;

export interface LineRate {
  /** Notes how many lines were done at a moment of a clock that only goes forward. */
  observe(atMs: number, done: number): void;
  /** Lines a second over the last 10 s or a little more; null until there are two observations at different times. */
  perSecond(): number | null;
}

/** Remembers about ten seconds. */
export function createLineRate(): LineRate {
  let seen: { readonly atMs: number; readonly done: number }[] = [];
  return {
    observe: (atMs, done) => {
      seen.push({ atMs, done });
      // One from before the window stays: the rate is over the whole of it.
      const firstInside = seen.findIndex((one) => one.atMs >= atMs - WINDOW_MS);
      seen = seen.slice(Math.max(0, firstInside - 1));
    },
    perSecond: () => {
      const [first, last] = [seen[0], seen.at(-1)];
      if (first === undefined || last === undefined || last.atMs <= first.atMs) return null;
      // Lines that are asked for again are taken off the count.
      return Math.max(0, ((last.done - first.done) / (last.atMs - first.atMs)) * 1000);
    },
  };
}
