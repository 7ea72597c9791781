/** What a figure is worth: measured against the bar of its row. */
import type { Row } from "../benchmark.ts";
import { ROWS } from "../rows.ts";
import { show } from "./number.ts";

export type Verdict = "reached for" | "bar" | "missed";

export function rowOf(number: number): Row {
  const row = ROWS.find((one) => one.number === number);
  if (row === undefined) throw new Error(`there is no row ${String(number)}`);
  return row;
}

export function judge(row: Row, value: number): Verdict {
  const passes = (limit: number): boolean => (row.sense === "at least" ? value >= limit : value <= limit);
  if (passes(row.reach)) return "reached for";
  return passes(row.bar) ? "bar" : "missed";
}

/** `≥ 0.5`, or `≤ 30` where less is better. */
export function showLimit(row: Row, limit: number): string {
  return `${row.sense === "at least" ? "≥" : "≤"} ${show(limit)}`;
}
