import { expect, test } from "@jest/globals";
import { WEBHOOK_GIVE_UP_MS } from "./limits.ts";
import { nextWebhookAttempt } from "./webhook-retry.ts";

const since = new Date("2026-08-19T12:00:00Z");
const HOUR = 3_600_000;

/** Returns the times of all attempts at a receiver that always fails, in milliseconds after the first. */
function attemptsWith(random: () => number): number[] {
  const moments: number[] = [];
  for (let now: Date | null = since; now !== null;) {
    moments.push(now.getTime() - since.getTime());
    now = nextWebhookAttempt({ attempts: moments.length, since, now, status: 500 }, random);
  }
  return moments;
}

test("the waits between attempts grow, and the last attempt is after 72 hours", () => {
  expect(attemptsWith(() => 1)).toEqual(
    [0, 5, 35, 155, 755, 2_555, 6_155, 16_955, 38_555, 81_755, 124_955, 168_155, 211_355, 254_555, 259_200].map(
      (seconds) => seconds * 1_000,
    ),
  );
  expect(attemptsWith(() => 0).at(-1)).toBe(WEBHOOK_GIVE_UP_MS);
  expect(WEBHOOK_GIVE_UP_MS).toBe(72 * HOUR);
});

test.each([
  [0, 4_000],
  [0.5, 4_500],
  [1, 5_000],
])("a random value of %d makes the first wait %d ms", (random, waitMs) => {
  const next = nextWebhookAttempt({ attempts: 1, since, now: since, status: null }, () => random);

  expect(next).toEqual(new Date(since.getTime() + waitMs));
});

test("a wait counts from the last attempt, even if that attempt was late", () => {
  const now = new Date(since.getTime() + 50 * HOUR);

  expect(nextWebhookAttempt({ attempts: 1, since, now, status: 500 }, () => 1)).toEqual(
    new Date(now.getTime() + 5_000),
  );
});

test("gives up after 72 hours and after a 410", () => {
  const end = new Date(since.getTime() + WEBHOOK_GIVE_UP_MS);

  expect(nextWebhookAttempt({ attempts: 1, since, now: end, status: 500 }, () => 1)).toBeNull();
  expect(nextWebhookAttempt({ attempts: 1, since, now: since, status: 410 }, () => 1)).toBeNull();
});
