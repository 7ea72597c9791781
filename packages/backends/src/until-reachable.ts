/** Patience at the start: the servers that a process needs are often started beside it, and serve a little later. */
import { setTimeout as sleep } from "node:timers/promises";
import { describeError, StartupError, type Logger } from "@nightshift/service";

const TRY_EVERY_MS = 500;

export interface ReachableOptions {
  /** How the store is called in the log and in the error. */
  readonly name: string;
  /** True for an error that may pass; any other is passed on at once. */
  readonly isAway: (error: unknown) => boolean;
  readonly logger: Logger;
  /** How long to go on trying. */
  readonly patienceMs: number;
  /** Ends the waiting; the promise then rejects. */
  readonly signal?: AbortSignal | undefined;
}

/** Resolves as `attempt` does, which is repeated while the store is away; rejects with StartupError at the end of the patience. */
export async function untilReachable<T>(attempt: () => Promise<T>, options: ReachableOptions): Promise<T> {
  const giveUpAt = performance.now() + options.patienceMs;
  let lastReason = "";
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!options.isAway(error)) throw error;
      const reason = describeError(error);
      if (performance.now() >= giveUpAt) {
        throw new StartupError(`${options.name} cannot be reached: ${reason}`, { cause: error });
      }
      if (reason !== lastReason) options.logger.warn({ store: options.name, reason }, "waiting for a store");
      lastReason = reason;
    }
    await sleep(TRY_EVERY_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}
