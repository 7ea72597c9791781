/** Waits at the start of a process for servers that are often started at the same time and are ready a little later. */
import { setTimeout as sleep } from "node:timers/promises";
import { describeError, StartupError, type Logger } from "@nightshift/service";

const RETRY_EVERY_MS = 500;

export interface ReachableOptions {
  /** The name of the backend in the log and in the error. */
  readonly name: string;
  /** Returns true if the error is transient. Any other error is passed on immediately. */
  readonly isUnavailable: (error: unknown) => boolean;
  readonly logger: Logger;
  /** How long to repeat the attempt. */
  readonly patienceMs: number;
  /** Aborts the wait. The promise then rejects. */
  readonly signal?: AbortSignal | undefined;
}

/** Retries `attempt` while the backend is unavailable. Rejects with StartupError after `patienceMs`. */
export async function untilReachable<T>(attempt: () => Promise<T>, options: ReachableOptions): Promise<T> {
  const giveUpAt = performance.now() + options.patienceMs;
  let lastReason = "";
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!options.isUnavailable(error)) throw error;
      const reason = describeError(error);
      if (performance.now() >= giveUpAt) {
        throw new StartupError(`${options.name} cannot be reached: ${reason}`, { cause: error });
      }
      if (reason !== lastReason) options.logger.warn({ backend: options.name, reason }, "waiting for a backend");
      lastReason = reason;
    }
    await sleep(RETRY_EVERY_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
}
