import { expect, test } from "@jest/globals";
import { rateBetween } from "./rate.ts";

test("measures the rate in the middle of a run and ignores its start and end", () => {
  const progress = [
    [0, 0],
    [10, 20],
    [11, 40],
    [12, 60],
    [30, 100],
  ] as const;

  expect(rateBetween(progress, 100, 0.1, 0.9)).toBe(20);
  expect(() => rateBetween(progress, 100, 0.7, 0.9)).toThrow("too short");
});
