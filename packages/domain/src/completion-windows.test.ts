/** Which completion windows an operator may offer, and how long they are. */
import { expect, test } from "@jest/globals";
import { DEFAULT_COMPLETION_WINDOWS, parseCompletionWindows } from "./completion-windows.ts";

test("the default is the contract's one window", () => {
  expect([...parseCompletionWindows(DEFAULT_COMPLETION_WINDOWS)]).toEqual([["24h", 86_400]]);
});

test("minutes, hours and days, in the order in which they are named, spaces aside", () => {
  expect([...parseCompletionWindows("1h, 24h ,7d,30m")]).toEqual([
    ["1h", 3_600],
    ["24h", 86_400],
    ["7d", 604_800],
    ["30m", 1_800],
  ]);
});

test.each(["", "24", "h", "0h", "-1h", "1.5h", "1w", "1000d", "1h,", "1h;2h", "24H"])(
  "%j is no list of windows",
  (text) => {
    expect(() => parseCompletionWindows(text)).toThrow(RangeError);
  },
);
