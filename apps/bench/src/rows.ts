/** The rows that the benchmarks fill, with their bars. */
import type { Row } from "./benchmark.ts";

const MIB = 1024 * 1024;

export const ROWS: readonly Row[] = [
  { number: 1, sense: "at least", bar: 0.5, reach: 0.75, unit: "of the bare loop" },
  { number: 2, sense: "at least", bar: 0.4, reach: 0.6, unit: "of the bare loop" },
  { number: 3, sense: "at least", bar: 0.95, reach: 0.99, unit: "of the bare loop" },
  { number: 4, sense: "at most", bar: 100, reach: 30, unit: "ms" },
  { number: 5, sense: "at most", bar: 300, reach: 200, unit: "MB" },
  { number: 6, sense: "at least", bar: 0.5, reach: 0.8, unit: "of bare multer" },
  { number: 7, sense: "at least", bar: 0.5, reach: 0.8, unit: "of a static server" },
  { number: 8, sense: "at most", bar: 32, reach: 16, unit: "MB" },
  { number: 9, sense: "at least", bar: 0.95, reach: 0.99, unit: "of perfect scaling" },
  { number: 10, sense: "at most", bar: 2, reach: 0.5, unit: "s" },
  { number: 11, sense: "at most", bar: 50, reach: 20, unit: "ms" },
  { number: 12, sense: "at least", bar: 0.95, reach: 1, unit: "of the speed at the start" },
  { number: 13, sense: "at most", bar: 2, reach: 0.5, unit: "s" },
];

/** Memory is counted in MB of 2^20 bytes, as the bars are. */
export const toMegabytes = (bytes: number): number => bytes / MIB;
