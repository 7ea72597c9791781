/** Waits until a condition is true. Tests use it instead of sleeping. */
import { setTimeout as sleep } from "node:timers/promises";

/** How long to wait (10 s unless told), how often to look (every 25 ms), and what to say when it did not happen. */
export interface UntilOptions {
  readonly message: string;
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/** What is left of a type when the values that count as "not yet" are taken out. */
export type Truthy<T> = Exclude<T, false | null | undefined | 0 | "">;

/**
 * Resolves with the first truthy value of `condition`. A condition that throws has not come true yet; its last error is
 * the cause of the rejection after the time-out.
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
