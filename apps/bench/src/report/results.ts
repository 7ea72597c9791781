/** The results as they are kept in the repository. A run of some benchmarks replaces what they measured and keeps the rest. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { format } from "prettier";
import type { Outcome } from "../benchmark.ts";
import type { Machine } from "./machine.ts";
import { round } from "./number.ts";
import { rowOf } from "./verdict.ts";

export interface RecordedFigure {
  readonly row: number;
  readonly benchmark: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly runs: readonly number[];
  readonly details: Readonly<Record<string, number>>;
  readonly date: string;
  readonly commit: string;
}

interface RecordedPlot {
  readonly benchmark: string;
  /** The file in docs/images/performance, without its ending. */
  readonly name: string;
  readonly title: string;
}

export interface Results {
  /** Of the last run, as `commit` and `machine`; each figure has its own. */
  readonly date: string;
  readonly commit: string;
  readonly machine: Machine;
  readonly figures: readonly RecordedFigure[];
  readonly plots: readonly RecordedPlot[];
}

/** One benchmark's outcome with when and where it was measured. */
export function recordOutcome(
  benchmark: string,
  outcome: Outcome,
  at: Pick<Results, "date" | "commit" | "machine">,
): Results {
  const { date, commit } = at;
  const figures = outcome.figures.map(({ row, name, value, runs, details }): RecordedFigure => {
    const rounded = Object.entries(details).map(([detail, number]) => [detail, round(number)]);
    return {
      ...{ row, benchmark, name, value: round(value), unit: rowOf(row).unit },
      ...{ runs: runs.map(round), details: Object.fromEntries(rounded) as Record<string, number>, date, commit },
    };
  });
  return { ...at, figures, plots: outcome.plots.map(({ name, title }) => ({ benchmark, name, title })) };
}

/** Figures and plots of `now` take the place of those with their names. */
export function mergeResults(before: Results | null, now: Results): Results {
  const byRow = replaceByName(before?.figures ?? [], now.figures).sort((a, b) => a.row - b.row);
  return { ...now, figures: byRow, plots: replaceByName(before?.plots ?? [], now.plots) };
}

function replaceByName<Named extends { readonly name: string }>(
  before: readonly Named[],
  now: readonly Named[],
): Named[] {
  return [...new Map([...before, ...now].map((one) => [one.name, one])).values()];
}

/** Null where nothing was measured yet. */
export async function readResults(file: string): Promise<Results | null> {
  return existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as Results) : null;
}

export async function writeResults(file: string, results: Results): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(
    file,
    await format(JSON.stringify(results), { parser: "json", printWidth: 120, objectWrap: "collapse" }),
  );
}
