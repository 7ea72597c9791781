import { expect, test } from "@jest/globals";
import type { IncomingHttpHeaders } from "node:http";
import { DAY_MS } from "@nightshift/domain";
import { readRetryAfterMs } from "./retry-after.ts";

const NOW_MS = Date.parse("2026-03-01T12:00:00Z");

test.each<[string, IncomingHttpHeaders, number | null]>([
  ["no header", {}, null],
  ["seconds", { "retry-after": "20" }, 20_000],
  ["fractions of seconds", { "retry-after": "0.25" }, 250],
  ["zero seconds", { "retry-after": "0" }, 0],
  ["milliseconds", { "retry-after-ms": "1500" }, 1_500],
  ["milliseconds, which take precedence over seconds", { "retry-after-ms": "1500", "retry-after": "2" }, 1_500],
  ["seconds next to invalid milliseconds", { "retry-after-ms": "soon", "retry-after": "2" }, 2_000],
  ["a date by our clock", { "retry-after": "Sun, 01 Mar 2026 12:00:30 GMT" }, 30_000],
  [
    "a date by the server's clock",
    { "retry-after": "Sun, 01 Mar 2026 11:00:30 GMT", date: "Sun, 01 Mar 2026 11:00:00 GMT" },
    30_000,
  ],
  ["a date that has passed", { "retry-after": "Sun, 01 Mar 2026 11:59:00 GMT" }, 0],
  ["a word", { "retry-after": "later" }, null],
  ["a negative number", { "retry-after": "-5" }, null],
  ["an empty value", { "retry-after": "" }, null],
  ["more than a day", { "retry-after": "99999999999999999999" }, DAY_MS],
  ["a date more than a day away", { "retry-after": "Sun, 01 Mar 2099 12:00:30 GMT" }, DAY_MS],
])("%s", (_, headers, expected) => {
  expect(readRetryAfterMs(headers, NOW_MS)).toBe(expected);
});
