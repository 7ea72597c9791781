/** Timers for asynchronous work. A failure is logged, and two runs of a repeated timer never overlap. */
import type { Logger } from "@nightshift/service";

export interface Timers {
  /** Runs `work` repeatedly, with `everyMs` between the end of one run and the start of the next. */
  every(name: string, everyMs: number, work: () => Promise<unknown>): void;
  /** Runs `work` once, after `delayMs`. */
  soon(name: string, delayMs: number, work: () => Promise<unknown>): void;
  /** Runs `work` once after `delayMs()`. Does nothing if a timer of that name already waits. */
  once(name: string, delayMs: () => number, work: () => Promise<unknown>): void;
  /** Stops the repeated timers. Timers that run once still do. */
  stopRepeating(): void;
  /** Cancels all timers. */
  close(): void;
}

/** A failure is logged as `could not NAME`. A repeated timer continues after a failure. */
export function createTimers(logger: Logger): Timers {
  const waiting = new Set<NodeJS.Timeout>();
  const named = new Set<string>();
  let isRepeating = true;
  let isClosed = false;

  const after = (name: string, delayMs: number, work: () => Promise<unknown>, then: () => void): void => {
    if (isClosed) return;
    const timer = setTimeout(() => {
      waiting.delete(timer);
      work().then(then, (error: unknown) => {
        logger.warn({ err: error }, `could not ${name}`);
        then();
      });
    }, delayMs);
    waiting.add(timer);
  };

  const every = (name: string, everyMs: number, work: () => Promise<unknown>): void => {
    after(name, everyMs, work, () => {
      if (isRepeating) every(name, everyMs, work);
    });
  };

  return {
    every,
    soon(name, delayMs, work) {
      after(name, delayMs, work, () => undefined);
    },
    once(name, delayMs, work) {
      if (named.has(name)) return;
      named.add(name);
      after(
        name,
        delayMs(),
        () => {
          named.delete(name);
          return work();
        },
        () => undefined,
      );
    },
    stopRepeating() {
      isRepeating = false;
    },
    close() {
      isClosed = true;
      for (const timer of waiting) clearTimeout(timer);
    },
  };
}
