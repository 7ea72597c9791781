import { expect, test } from "@jest/globals";
import type { RecordedFigure } from "./results.ts";
import { markdownTable, placeTable, terminalTable } from "./table.ts";

const machine = { cpu: "a cpu", cores: 2, memory: "4.0 GB", kernel: "Linux 6", node: "v20.19.0" };

const overhead: RecordedFigure = {
  row: 1,
  benchmark: "overhead",
  name: "overhead, scaled",
  value: 0.6123,
  unit: "of the bare loop",
  runs: [0.6123, 0.6, 0.65],
  details: { "bare loop, lines/s": 12_350, "worker, µs CPU a line": 120.4, polls: 99 },
  date: "2026-11-24T17:00:00.000Z",
  commit: "abc",
};
const turnAround: RecordedFigure = {
  ...overhead,
  ...{ row: 4, name: "turn-around, a|b", value: 120, unit: "ms", runs: [120], details: {} },
  date: "2026-11-20T17:00:00.000Z",
};

test("shows each figure with its verdict, its limits, and its details with units", () => {
  const lines = markdownTable({ figures: [overhead, turnAround], machine }).split("\n");

  expect(lines[0]).toBe("| row | benchmark | figure | bar | reach for | what else was seen |");
  expect(lines[2]).toBe(
    "| 1 | overhead, scaled | **0.6123** (bar) | ≥ 0.5 of the bare loop | ≥ 0.75 | runs 0.6 to 0.65; bare loop 12,400 lines/s; worker 120 µs CPU a line; polls 99 |",
  );
  expect(lines).toContain(String.raw`| 4 | turn-around, a\|b | **120** (missed) | ≤ 100 ms | ≤ 30 |  |`);
  expect(lines).toContain("| 2 |  | not measured | ≥ 0.4 of the bare loop | ≥ 0.6 |  |");
  expect(lines.at(-1)).toBe(
    "Measured 2026-11-20 to 2026-11-24 on 2 cores of a cpu with 4.0 GB, Linux 6, Node v20.19.0.",
  );
});

test("sorts the figures by row and aligns the columns for the terminal", () => {
  expect(terminalTable([turnAround, overhead])).toBe(
    [
      "row  figure            value                    bar    reach for  verdict",
      "---  ----------------  -----------------------  -----  ---------  -------",
      "1    overhead, scaled  0.6123 of the bare loop  ≥ 0.5  ≥ 0.75     bar",
      "4    turn-around, a|b  120 ms                   ≤ 100  ≤ 30       missed",
      "",
    ].join("\n"),
  );
});

test("replaces the old table and keeps the rest of the page", () => {
  const page = "# Performance\n\nBefore.\n\n<!-- figures: npm run bench -->\n\nold\n\n<!-- /figures -->\n\nAfter.\n";

  const placed = placeTable(page, "| new |");

  expect(placed).toBe(
    "# Performance\n\nBefore.\n\n<!-- figures: npm run bench -->\n\n| new |\n\n<!-- /figures -->\n\nAfter.\n",
  );
  expect(placeTable(placed, "| new |")).toBe(placed);
});

test("appends the table to a page without markers", () => {
  expect(placeTable("# Performance\n", "| new |")).toBe(
    "# Performance\n\n<!-- figures: npm run bench -->\n\n| new |\n\n<!-- /figures -->\n",
  );
});
