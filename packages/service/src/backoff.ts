/** How long to wait before something that ended by itself is started again. */
const FIRST_MS = 200;
const LONGEST_MS = 5_000;

/** What ran for so long was well, and its next end counts as the first. */
const HEALTHY_MS = 30_000;

/** Counts ends in a row. */
export interface Backoff {
  /** The wait in milliseconds (200 to 5,000), told how long the last run took. */
  readonly next: (ranMs: number) => number;
}

/** For one thing that is kept running; it has not ended yet. */
export function createBackoff(): Backoff {
  let ends = 0;
  return {
    next: (ranMs) => {
      ends = ranMs >= HEALTHY_MS ? 1 : ends + 1;
      return Math.min(LONGEST_MS, FIRST_MS * 2 ** (ends - 1));
    },
  };
}
