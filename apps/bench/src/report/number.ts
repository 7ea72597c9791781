/** Numbers as they are kept and shown: no more digits than a measurement on a shared machine has. */

const DIGITS = 4;

/** Throws on what is no number at all: a benchmark that divided by zero has measured nothing. */
export function round(value: number): number {
  if (!Number.isFinite(value)) throw new Error(`a measurement cannot be ${String(value)}`);
  return Number(value.toPrecision(DIGITS));
}

/** `12,340` or `0.6312`. */
export function show(value: number, digits = DIGITS): string {
  return value.toLocaleString("en", { maximumSignificantDigits: digits });
}
