/** The figures as tables: in Markdown between two marks of docs/performance.md, whose prose stays, and for the terminal. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { ROWS } from "../rows.ts";
import { alignColumns } from "./columns.ts";
import { show } from "./number.ts";
import type { RecordedFigure, Results } from "./results.ts";
import { judge, rowOf, showLimit } from "./verdict.ts";

const BEGIN = "<!-- figures: npm run bench -->";
const END = "<!-- /figures -->";
const EMPTY_PAGE = `# Performance\n\n${BEGIN}\n${END}\n`;

const DETAIL_DIGITS = 3;

export function printTable(figures: readonly RecordedFigure[]): string {
  const rows = [...figures]
    .sort((a, b) => a.row - b.row)
    .map(({ row: number, name, value, unit }) => {
      const row = rowOf(number);
      const limits = [showLimit(row, row.bar), showLimit(row, row.reach)];
      return [String(number), name, `${show(value)} ${unit}`, ...limits, judge(row, value)];
    });
  return alignColumns([["row", "figure", "value", "bar", "reach for", "verdict"], ...rows]);
}

/** Each row of the table has at least one line, so that it shows what was never measured. */
export function markdownTable({ figures, machine }: Pick<Results, "figures" | "machine">): string {
  const lines = ROWS.flatMap((row) => {
    const limits = [`${showLimit(row, row.bar)} ${row.unit}`, showLimit(row, row.reach)];
    const own = figures.filter((figure) => figure.row === row.number);
    if (own.length === 0) return [[String(row.number), "", "not measured", ...limits, ""]];
    return own.map((figure) => {
      const verdict = judge(row, figure.value);
      const value = `**${show(figure.value)}** (${verdict})`;
      return [String(row.number), figure.name, value, ...limits, showDetails(figure)];
    });
  });
  const head = ["row", "benchmark", "figure", "bar", "reach for", "what else was seen"];
  const rows = [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.map(escapeCell).join(" | ")} |`);
  return [...rows, "", showOrigin(figures, machine)].join("\n");
}

/** `runs 0.61 to 0.64; bare loop 8,070 lines/s`: names end in their unit behind a comma. */
function showDetails({ runs, details }: RecordedFigure): string {
  const spread =
    runs.length < 2
      ? []
      : [`runs ${show(Math.min(...runs), DETAIL_DIGITS)} to ${show(Math.max(...runs), DETAIL_DIGITS)}`];
  const others = Object.entries(details).map(([name, value]) => {
    const comma = name.lastIndexOf(", ");
    const [what, unit] = comma < 0 ? [name, ""] : [name.slice(0, comma), ` ${name.slice(comma + 2)}`];
    return `${what} ${show(value, DETAIL_DIGITS)}${unit}`;
  });
  return [...spread, ...others].join("; ");
}

function showOrigin(figures: readonly RecordedFigure[], machine: Results["machine"]): string {
  const days = figures.map(({ date }) => date.slice(0, "2026-01-31".length)).sort();
  const [first, last] = [days.at(0) ?? "never", days.at(-1) ?? "never"];
  const when = first === last ? first : `${first} to ${last}`;
  return `Measured ${when} on ${String(machine.cores)} cores of ${machine.cpu} with ${machine.memory}, ${machine.kernel}, Node ${machine.node}.`;
}

const escapeCell = (text: string): string => text.replaceAll("|", String.raw`\|`);

/** The page with `table` in its place; at its end where it has none yet. */
export function placeTable(page: string, table: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  const block = `${BEGIN}\n\n${table}\n\n${END}`;
  if (begin < 0 || end < begin) return `${page.trimEnd()}\n\n${block}\n`;
  return page.slice(0, begin) + block + page.slice(end + END.length);
}

/** Writes the table into the page, and the page where there is none. */
export async function writeTable(file: string, results: Results): Promise<void> {
  const page = existsSync(file) ? await readFile(file, "utf8") : EMPTY_PAGE;
  await writeFile(file, placeTable(page, markdownTable(results)));
}
