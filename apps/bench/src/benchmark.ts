/** What a benchmark is, and what it brings home. */
import type { Profile } from "@nightshift/testing/stack";
import type { Laboratory } from "./setting/laboratory.ts";

/** The rows of the table in docs/performance.md: each has a bar that its figures must reach, and what is reached for beyond it. */
export interface Row {
  readonly number: number;
  /** `at least`: more is better. */
  readonly sense: "at least" | "at most";
  readonly bar: number;
  readonly reach: number;
  readonly unit: string;
}

/** One figure of a row. `runs` are the single measurements, of which `value` is the median unless `name` says otherwise. */
export interface Figure {
  readonly row: number;
  /** What was measured, with the profile where it matters: `overhead, scaled`. */
  readonly name: string;
  readonly value: number;
  readonly runs: readonly number[];
  /** What else was seen, by name with unit: lines/s, CPU by process. */
  readonly details: Readonly<Record<string, number>>;
}

/** A curve, or the bars of one colour. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
}

export interface Plot {
  /** The file's name without its ending. */
  readonly name: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly kind: "line" | "bar";
  readonly series: readonly Series[];
}

export interface Outcome {
  readonly figures: readonly Figure[];
  readonly plots: readonly Plot[];
}

export interface Session {
  readonly lab: Laboratory;
  /** Measurements of each figure, on either side. */
  readonly runs: number;
  /** True where the sizes are those of the table; else all is small, to see that it runs. */
  readonly isFull: boolean;
  /** Variables for every process of Nightshift, such as those of a profiler. */
  readonly env: Readonly<Record<string, string>>;
  readonly say: (sentence: string) => void;
}

export interface Benchmark {
  readonly name: string;
  /** One sentence for --help and the log. */
  readonly title: string;
  /** Left out where this profile cannot be started. */
  readonly needs?: Profile;
  run(session: Session): Promise<Outcome>;
}
