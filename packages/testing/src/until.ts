/** Waits until a condition is true. Tests use it instead of sleeping. */
import { setTimeout as sleep } from "node:timers/promises";

/** The time-out (10 s by default), the interval (25 ms by default), and the message of the error after the time-out. */
export interface UntilOptions {
  readonly message: string;
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/** The type `T` without the values that count as "not yet". */
export type Truthy<T> = Exclude<T, false | null | undefined | 0 | "">;

/**
 * Resolves with the first truthy value of `condition`. A condition that throws counts as "not yet". After the time-out,
 * its last error is the cause of the rejection.
 */
export async function until<T>(condition: () => T | Promise<T>, options: UntilOptions): Promise<Truthy<T>> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  do {
    try {
      const value = await condition();
      if (value) return value as Truthy<T>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    await sleep(options.everyMs ?? 25);
  } while (performance.now() < deadline);
  throw new Error(`Waited ${String(timeoutMs)} ms in vain: ${options.message}`, { cause: lastError });
}
