/** Tests the counts and times that a lease reports about the replies since the last lease. */
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { createReplyStats } from "./reply-stats.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test("counts the replies since the last call, and averages the times of replies that were not throttled", () => {
  const replies = createReplyStats();
  replies.note(100, false);
  replies.note(300, false);
  replies.note(5, true);

  expect(replies.take()).toMatchObject({ answered: 2, throttled: 1, lineMs: 200 });
  expect(replies.take()).toMatchObject({ answered: 0, throttled: 0, lineMs: null });
});

test("gives the newest interval a weight of 30 % in the running rate", () => {
  const replies = createReplyStats();
  for (let i = 0; i < 10; i += 1) replies.note(1, false);
  jest.advanceTimersByTime(500);
  expect(replies.take().linesPerSecond).toBeCloseTo(0.3 * 20);

  jest.advanceTimersByTime(500);

  expect(replies.take().linesPerSecond).toBeCloseTo(0.7 * 6);
});

test("lets the rate of an idle worker fall to 0 instead of a number too small for Postgres", () => {
  const replies = createReplyStats();
  replies.note(1, false);
  jest.advanceTimersByTime(1_000);
  replies.take();

  const rates = Array.from({ length: 40 }, () => {
    jest.advanceTimersByTime(150);
    return replies.take().linesPerSecond;
  });

  expect(rates.at(-1)).toBe(0);
  expect(rates.filter((rate) => rate > 0 && rate < 0.001)).toEqual([]);
});
