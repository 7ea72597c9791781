/** When a webhook that was not acknowledged is sent again, and when it is given up: contract §1.4, exponential backoff up to 72 h. */
import { WEBHOOK_GIVE_UP_MS } from "./limits.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Waits after the first, second, … attempt; the last one repeats. */
const WAITS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];

/** A wait is between this share of its length and the whole, so that what failed together does not come back together. */
const LEAST_SHARE = 0.8;

/** The receiver said that it wants no more of it (Standard Webhooks): it is not asked again. */
const GONE = 410;

/** What is known after an attempt that failed. */
export interface FailedAttempt {
  /** How many attempts there were, this one included: 1 or more. */
  readonly attempts: number;
  /** When the first one was due. */
  readonly since: Date;
  readonly now: Date;
  /** Of the reply; null where none came. */
  readonly status: number | null;
}

/**
 * When to try again; null: never. The last attempt is 72 hours after the first was due, also where fewer happened because
 * we ourselves were away. `random` is from 0 to below 1.
 */
export function nextWebhookAttempt({ attempts, since, now, status }: FailedAttempt, random: () => number): Date | null {
  const end = since.getTime() + WEBHOOK_GIVE_UP_MS;
  if (status === GONE || now.getTime() >= end) return null;
  const wait = WAITS[Math.min(attempts, WAITS.length) - 1] ?? 0;
  const share = LEAST_SHARE + (1 - LEAST_SHARE) * random();
  return new Date(Math.min(end, now.getTime() + Math.round(wait * share)));
}
