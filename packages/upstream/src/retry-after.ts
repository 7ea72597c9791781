/** How long an upstream asks to be left alone. */
import type { IncomingHttpHeaders } from "node:http";
import { DAY_MS } from "@nightshift/domain";

/** Longest wait that is believed: a typing mistake upstream must not pause it for years. */
const MAX_WAIT_MS = DAY_MS;

/**
 * Milliseconds from `retry-after-ms` (OpenAI's, the finer one) or `retry-after` (RFC 9110 §10.2.3: seconds or a date; a
 * date counts from the reply's own `date`, so that the two clocks need not agree). Null where neither makes sense.
 */
export function readRetryAfterMs(headers: IncomingHttpHeaders, nowMs: number): number | null {
  return (
    parseCount(first(headers["retry-after-ms"]), 1) ??
    parseCount(headers["retry-after"], 1000) ??
    parseDate(headers["retry-after"], headers.date, nowMs)
  );
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function parseCount(value: string | undefined, unitMs: number): number | null {
  if (value === undefined || !/^\s*\d+(\.\d+)?\s*$/.test(value)) return null;
  return Math.min(Math.ceil(Number(value) * unitMs), MAX_WAIT_MS);
}

function parseDate(value: string | undefined, serverDate: string | undefined, nowMs: number): number | null {
  // Date.parse alone would take "-5" for a date, too.
  if (value === undefined || !/^[A-Z][a-z]+, .* GMT$/.test(value)) return null;
  const until = Date.parse(value);
  if (Number.isNaN(until)) return null;
  const from = Date.parse(serverDate ?? "");
  return Math.min(Math.max(until - (Number.isNaN(from) ? nowMs : from), 0), MAX_WAIT_MS);
}
