/** How measurements are rounded and shown: with no more digits than a shared machine can measure. */

const DIGITS = 4;
const MIB = 1024 * 1024;

/** Throws for NaN and Infinity, because a benchmark that divided by zero has not measured anything. */
export function round(value: number): number {
  if (!Number.isFinite(value)) throw new Error(`a measurement cannot be ${String(value)}`);
  return Number(value.toPrecision(DIGITS));
}

/** Returns a number as text, such as `12,340` or `0.6312`. */
export function formatNumber(value: number, digits = DIGITS): string {
  return value.toLocaleString("en", { maximumSignificantDigits: digits });
}

/** One MB is 2^20 bytes here, as in the targets for memory. */
export const toMegabytes = (bytes: number): number => bytes / MIB;
