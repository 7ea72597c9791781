/** The results file of the repository. A run of some benchmarks replaces their figures and keeps all others. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { format } from "prettier";
import type { BenchmarkReport } from "../benchmark.ts";
import type { MachineFacts } from "./machine.ts";
import { round } from "./numbers.ts";
import { targetOf } from "./targets.ts";

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
  /** The file name in docs/images/performance, without its extension. */
  readonly name: string;
  readonly title: string;
}

export interface Results {
  /** `date`, `commit` and `machine` describe the last run. Each figure also has its own date and commit. */
  readonly date: string;
  readonly commit: string;
  readonly machine: MachineFacts;
  readonly figures: readonly RecordedFigure[];
  readonly plots: readonly RecordedPlot[];
}

/** Adds the time, commit and machine to the report of a benchmark. */
export function recordReport(
  benchmark: string,
  report: BenchmarkReport,
  at: Pick<Results, "date" | "commit" | "machine">,
): Results {
  const { date, commit } = at;
  const figures = report.figures.map(({ row, name, value, runs, details }): RecordedFigure => {
    const rounded = Object.entries(details).map(([detail, number]) => [detail, round(number)]);
    return {
      ...{ row, benchmark, name, value: round(value), unit: targetOf(row).unit },
      ...{ runs: runs.map(round), details: Object.fromEntries(rounded) as Record<string, number>, date, commit },
    };
  });
  return { ...at, figures, plots: report.plots.map(({ name, title }) => ({ benchmark, name, title })) };
}

/** Figures and plots of `now` replace earlier ones with the same name. */
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

/** Resolves with null if the file does not exist. */
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
