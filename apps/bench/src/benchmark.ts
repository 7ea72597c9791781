/** The types that all benchmarks share: the context that a benchmark receives and the report that it returns. */
import type { TestBed } from "./test-bed/test-bed.ts";

/** One measured value, and the row of the table in docs/performance.md that it belongs to. */
export interface Figure {
  readonly row: number;
  /** The name of the measurement, followed by the profile if the profile matters: `overhead, scaled`. */
  readonly name: string;
  /** The median of `runs`, unless `name` says otherwise. */
  readonly value: number;
  readonly runs: readonly number[];
  /** Further measurements by name. A name ends with its unit: `worker, µs CPU a line`. */
  readonly details: Readonly<Record<string, number>>;
}

/** One curve of a plot, or its bars of one colour. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

export interface Plot {
  /** The file name without its extension. */
  readonly name: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly kind: "line" | "bar";
  readonly series: readonly Series[];
}

export interface BenchmarkReport {
  readonly figures: readonly Figure[];
  readonly plots: readonly Plot[];
}

export interface BenchmarkContext {
  readonly testBed: TestBed;
  /** The number of measurements of each figure. A baseline is measured as often as Nightshift. */
  readonly runs: number;
  /** True for the sizes of the published table. False for small sizes, which only check that the benchmark runs. */
  readonly isFull: boolean;
  /** Extra variables for every process of Nightshift, for example to record CPU profiles. */
  readonly env: Readonly<Record<string, string>>;
  readonly say: (sentence: string) => void;
}

export interface Benchmark {
  readonly name: string;
  /** One sentence for --help and the log. */
  readonly title: string;
  run(context: BenchmarkContext): Promise<BenchmarkReport>;
}
