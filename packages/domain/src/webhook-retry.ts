/** The retry schedule of webhooks: exponential backoff for up to 72 hours (contract §1.4). */
import { WEBHOOK_GIVE_UP_MS } from "./limits.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The waits after the first, second, … attempt. The last wait repeats. */
const WAITS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];

/**
 * With jitter, a wait lasts 80 % to 100 % of its length, so that deliveries that failed together do not repeat
 * together.
 */
const LEAST_SHARE = 0.8;

/** The status with which a receiver refuses further attempts of this delivery (Standard Webhooks). */
const GONE = 410;

/** The facts after a failed attempt. */
export interface FailedAttempt {
  /** The number of attempts so far, including this one: 1 or more. */
  readonly attempts: number;
  /** The time at which the first attempt was due. */
  readonly since: Date;
  readonly now: Date;
  /** The status of the reply. Null if there was no reply. */
  readonly status: number | null;
}

/**
 * Returns the time of the next attempt, or null to give up. The last attempt is 72 hours after the first was due, even
 * if some attempts did not happen because no worker ran. `random` returns values from 0 to below 1.
 */
export function nextWebhookAttempt({ attempts, since, now, status }: FailedAttempt, random: () => number): Date | null {
  const end = since.getTime() + WEBHOOK_GIVE_UP_MS;
  if (status === GONE || now.getTime() >= end) return null;
  const wait = WAITS[Math.min(attempts, WAITS.length) - 1] ?? 0;
  const share = LEAST_SHARE + (1 - LEAST_SHARE) * random();
  return new Date(Math.min(end, now.getTime() + Math.round(wait * share)));
}
