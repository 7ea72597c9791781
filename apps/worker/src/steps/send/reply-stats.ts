/** Counts a lane's replies between two leases, and keeps a running rate of lines. */

export interface ReplyStats {
  /** Counts a reply. The time of a throttled reply (429, 503, refused) does not show how long a line takes. */
  note(tookMs: number, wasThrottled: boolean): void;
  /** Returns the counts since the last call, and starts again. */
  take(): RepliesSince;
}

export interface RepliesSince {
  readonly answered: number;
  readonly throttled: number;
  /** Mean time of the answered lines; null if there were none. */
  readonly lineMs: number | null;
  /** The running rate, including this interval. */
  readonly linesPerSecond: number;
}

/** Weight of the newest interval in the running rate. */
const NEWEST_RATE = 0.3;
/** Rates below this are 0, because an idle worker's rate would shrink below the smallest `real` of Postgres. */
const MIN_RATE = 0.001;

export function createReplyStats(): ReplyStats {
  let answered = 0;
  let throttled = 0;
  let totalMs = 0;
  let since = performance.now();
  let linesPerSecond = 0;
  return {
    note(tookMs, wasThrottled) {
      if (wasThrottled) {
        throttled += 1;
        return;
      }
      answered += 1;
      totalMs += tookMs;
    },
    take() {
      const now = performance.now();
      const seconds = Math.max(0.001, (now - since) / 1_000);
      linesPerSecond = linesPerSecond * (1 - NEWEST_RATE) + (answered / seconds) * NEWEST_RATE;
      if (linesPerSecond < MIN_RATE) linesPerSecond = 0;
      const taken = { answered, throttled, lineMs: answered === 0 ? null : totalMs / answered, linesPerSecond };
      answered = 0;
      throttled = 0;
      totalMs = 0;
      since = now;
      return taken;
    },
  };
}
