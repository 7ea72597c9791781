import { expect, test } from "@jest/globals";
import { DEFAULT_COMPLETION_WINDOWS, parseCompletionWindows } from "./completion-windows.ts";

test("offers only the contract's window by default", () => {
  expect([...parseCompletionWindows(DEFAULT_COMPLETION_WINDOWS)]).toEqual([["24h", 86_400]]);
});

test("reads minutes, hours and days, keeps their order and ignores spaces", () => {
  expect([...parseCompletionWindows("1h, 24h ,7d,30m")]).toEqual([
    ["1h", 3_600],
    ["24h", 86_400],
    ["7d", 604_800],
    ["30m", 1_800],
  ]);
});

test.each(["", "24", "h", "0h", "-1h", "1.5h", "1w", "1000d", "1h,", "1h;2h", "24H"])(
  "%j is not a list of windows",
  (text) => {
    expect(() => parseCompletionWindows(text)).toThrow(RangeError);
  },
);
