/** The completion windows that an installation offers: contract §1.3 has `24h` alone; operators may offer others (§6). */
import { DAY_SECONDS } from "./limits.ts";

/** Seconds, by the name that a client asks for and is shown: `24h`. In the operator's order. */
export type CompletionWindows = ReadonlyMap<string, number>;

export const DEFAULT_COMPLETION_WINDOWS = "24h";

/** A list of windows: numbers from 1 to 999, each with its unit, m for minutes, h for hours or d for days. */
export const COMPLETION_WINDOWS_PATTERN = String.raw`^[1-9]\d{0,2}[mhd](\s*,\s*[1-9]\d{0,2}[mhd])*$`;

const SECONDS: Readonly<Record<string, number>> = { m: 60, h: 3_600, d: DAY_SECONDS };

/** Reads a list such as `1h, 24h, 7d`. Throws RangeError for what the pattern refuses. */
export function parseCompletionWindows(text: string): CompletionWindows {
  if (!new RegExp(COMPLETION_WINDOWS_PATTERN).test(text)) throw new RangeError(`not a list of windows: ${text}`);
  const names = text.split(",").map((name) => name.trim());
  return new Map(names.map((name) => [name, Number.parseInt(name, 10) * (SECONDS[name.slice(-1)] ?? 0)]));
}
