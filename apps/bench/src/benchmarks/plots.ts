/** The two kinds of plot that several benchmarks draw. */
import type { Plot } from "../benchmark.ts";
import { quantile } from "../measure/quantile.ts";

type PlotText = Pick<Plot, "name" | "title" | "y">;

/** Returns a bar plot with one group per run. Each group has one bar per series. */
export function plotRuns(text: PlotText, runsBySeries: Readonly<Record<string, readonly number[]>>): Plot {
  const series = Object.entries(runsBySeries).map(([name, runs]) => ({
    name,
    points: runs.map((value, run): [number, number] => [run + 1, value]),
  }));
  return { ...text, kind: "bar", x: "run", series };
}

/** Returns a distribution as a curve: the value at each percentile. */
export function plotPercentiles(text: PlotText, valuesBySeries: Readonly<Record<string, readonly number[]>>): Plot {
  const series = Object.entries(valuesBySeries).map(([name, values]) => ({
    name,
    points: Array.from({ length: 101 }, (_, percent): [number, number] => [percent, quantile(values, percent / 100)]),
  }));
  return { ...text, kind: "line", x: "percentile", series };
}
