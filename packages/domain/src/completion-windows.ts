/**
 * The completion windows that an installation offers. Contract §1.3 has only `24h`; operators may offer others (§6).
 */
import { DAY_SECONDS } from "./limits.ts";

/** Maps each name that clients use, such as `24h`, to its length in seconds. The names are in the operator's order. */
export type CompletionWindows = ReadonlyMap<string, number>;

export const DEFAULT_COMPLETION_WINDOWS = "24h";

/** Matches a list of windows: numbers from 1 to 999, each with the unit m (minutes), h (hours) or d (days). */
export const COMPLETION_WINDOWS_PATTERN = String.raw`^[1-9]\d{0,2}[mhd](\s*,\s*[1-9]\d{0,2}[mhd])*$`;

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3_600, d: DAY_SECONDS };

/** Parses a list such as `1h, 24h, 7d`. Throws RangeError if the list does not match the pattern. */
export function parseCompletionWindows(text: string): CompletionWindows {
  if (!new RegExp(COMPLETION_WINDOWS_PATTERN).test(text))
    throw new RangeError(`not a list of completion windows: ${text}`);
  const names = text.split(",").map((name) => name.trim());
  return new Map(names.map((name) => [name, Number.parseInt(name, 10) * (SECONDS[name.slice(-1)] ?? 0)]));
}
