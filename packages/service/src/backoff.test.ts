import { expect, test } from "@jest/globals";
import { createBackoff } from "./backoff.ts";

test("waits grow from 0.2 s to 5 s while the process keeps exiting", () => {
  const backoff = createBackoff();

  expect([1, 2, 3, 4, 5, 6, 7].map(() => backoff.next(0))).toEqual([200, 400, 800, 1600, 3200, 5000, 5000]);
});

test("after a healthy run, the backoff starts again at the shortest wait", () => {
  const backoff = createBackoff();
  backoff.next(0);
  backoff.next(0);

  expect(backoff.next(60_000)).toBe(200);
  expect(backoff.next(0)).toBe(400);
});
