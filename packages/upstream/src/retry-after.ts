/** Reads how long an upstream asks to wait. */
import type { IncomingHttpHeaders } from "node:http";
import { DAY_MS } from "@nightshift/domain";

/** The maximum wait, so that a mistake in a reply does not pause the upstream for years. */
const MAX_WAIT_MS = DAY_MS;

/**
 * Returns milliseconds from `retry-after-ms` (OpenAI's more precise header) or `retry-after` (RFC 9110 §10.2.3: seconds
 * or a date). A date counts from the reply's own `date`, so that clock differences do not matter. Returns null if
 * neither header is valid.
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
  // Date.parse alone would accept "-5" as a date.
  if (value === undefined || !/^[A-Z][a-z]+, .* GMT$/.test(value)) return null;
  const until = Date.parse(value);
  if (Number.isNaN(until)) return null;
  const from = Date.parse(serverDate ?? "");
  return Math.min(Math.max(until - (Number.isNaN(from) ? nowMs : from), 0), MAX_WAIT_MS);
}
