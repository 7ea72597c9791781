/** Exponential backoff for a child process that has to be restarted. */
const FIRST_MS = 200;
const LONGEST_MS = 5_000;

/** A run of this length counts as healthy, and resets the backoff. */
const HEALTHY_MS = 30_000;

/** Counts consecutive exits of the process. */
export interface Backoff {
  /** Returns the wait in milliseconds, 200 to 5,000, from the length of the last run. */
  readonly next: (ranMs: number) => number;
}

/** Creates the backoff of one process. No exit has been counted yet. */
export function createBackoff(): Backoff {
  let ends = 0;
  return {
    next: (ranMs) => {
      ends = ranMs >= HEALTHY_MS ? 1 : ends + 1;
      return Math.min(LONGEST_MS, FIRST_MS * 2 ** (ends - 1));
    },
  };
}
