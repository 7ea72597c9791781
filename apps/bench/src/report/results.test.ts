import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@jest/globals";
import type { Figure, Plot } from "../benchmark.ts";
import { mergeResults, readResults, recordReport, writeResults, type Results } from "./results.ts";

const machine = { cpu: "a cpu", cores: 2, memory: "4.0 GB", kernel: "Linux 6", node: "v20.19.0" };

function figure(name: string, row: number, value: number): Figure {
  return { name, row, value, runs: [value], details: { "bare loop, lines/s": 12_345.678 } };
}

function plot(name: string, title: string): Plot {
  return { name, title, kind: "line", x: "x", y: "y", series: [] };
}

function record(date: string, figures: readonly Figure[], plots: readonly Plot[] = []): Results {
  return recordReport("overhead", { figures, plots }, { date, commit: `commit of ${date}`, machine });
}

test("records a figure with its unit, time, commit and four digits", () => {
  const { figures } = record("monday", [figure("overhead, scaled", 1, 0.612345)]);

  expect(figures).toEqual([
    {
      ...{ row: 1, benchmark: "overhead", name: "overhead, scaled", value: 0.6123, unit: "of the bare loop" },
      ...{ runs: [0.6123], details: { "bare loop, lines/s": 12_350 }, date: "monday", commit: "commit of monday" },
    },
  ]);
});

test("replaces the figures and plots that a partial run measured, and keeps the others with their dates", () => {
  const before = record(
    "monday",
    [figure("a", 1, 0.1), figure("b", 4, 40), figure("c", 2, 0.2)],
    [plot("a", "old"), plot("b", "old")],
  );

  const merged = mergeResults(before, record("friday", [figure("c", 2, 0.3), figure("d", 3, 1)], [plot("b", "new")]));

  expect(merged.date).toBe("friday");
  expect(merged.figures.map(({ name, value, date }) => [name, value, date])).toEqual([
    ["a", 0.1, "monday"],
    ["c", 0.3, "friday"],
    ["d", 1, "friday"],
    ["b", 40, "monday"],
  ]);
  expect(merged.plots.map(({ name, title }) => [name, title])).toEqual([
    ["a", "old"],
    ["b", "new"],
  ]);
});

test("rejects a figure that is not a finite number", () => {
  expect(() => record("monday", [figure("a", 1, Infinity)])).toThrow("a measurement cannot be Infinity");
});

test("reads back the results that it wrote, and returns null if the file does not exist", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "nightshift-results-"));
  const file = path.join(folder, "performance", "results.json");
  const results = record("monday", [figure("a", 1, 0.1)], [plot("a", "a title")]);

  expect(await readResults(file)).toBeNull();
  await writeResults(file, results);
  expect(await readResults(file)).toEqual(results);

  await rm(folder, { recursive: true });
});
