/** The targets of docs/performance.md, and how a measured value compares with them. */
import { formatNumber } from "./numbers.ts";

/** One row of the table. A value passes at `bar`; `reach` is the more ambitious target. */
interface Target {
  readonly row: number;
  /** `at least` means that larger values are better. */
  readonly sense: "at least" | "at most";
  readonly bar: number;
  readonly reach: number;
  readonly unit: string;
}

export const TARGETS: readonly Target[] = [
  { row: 1, sense: "at least", bar: 0.5, reach: 0.75, unit: "of the bare loop" },
  { row: 2, sense: "at least", bar: 0.4, reach: 0.6, unit: "of the bare loop" },
  { row: 3, sense: "at least", bar: 0.95, reach: 0.99, unit: "of the bare loop" },
  { row: 4, sense: "at most", bar: 100, reach: 30, unit: "ms" },
  { row: 5, sense: "at most", bar: 300, reach: 200, unit: "MB" },
  { row: 6, sense: "at least", bar: 0.5, reach: 0.8, unit: "of bare multer" },
  { row: 7, sense: "at least", bar: 0.5, reach: 0.8, unit: "of a static server" },
  { row: 8, sense: "at most", bar: 32, reach: 16, unit: "MB" },
  { row: 9, sense: "at least", bar: 0.95, reach: 0.99, unit: "of perfect scaling" },
  { row: 10, sense: "at most", bar: 2, reach: 0.5, unit: "s" },
  { row: 11, sense: "at most", bar: 50, reach: 20, unit: "ms" },
  { row: 12, sense: "at least", bar: 0.95, reach: 1, unit: "of the speed at the start" },
  { row: 13, sense: "at most", bar: 2, reach: 0.5, unit: "s" },
];

type Verdict = "reached for" | "bar" | "missed";

export function targetOf(row: number): Target {
  const target = TARGETS.find((one) => one.row === row);
  if (target === undefined) throw new Error(`the table does not have a row ${String(row)}`);
  return target;
}

export function judge(target: Target, value: number): Verdict {
  const passes = (limit: number): boolean => (target.sense === "at least" ? value >= limit : value <= limit);
  if (passes(target.reach)) return "reached for";
  return passes(target.bar) ? "bar" : "missed";
}

/** Returns `≥ 0.5`, or `≤ 30` if smaller values are better. */
export function formatLimit(target: Target, limit: number): string {
  return `${target.sense === "at least" ? "≥" : "≤"} ${formatNumber(limit)}`;
}
