/** Shows figures as a table: as Markdown between two markers of docs/performance.md, or aligned for the terminal. */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { getBorderCharacters, table } from "table";
import { formatNumber } from "./numbers.ts";
import type { RecordedFigure, Results } from "./results.ts";
import { formatLimit, judge, TARGETS, targetOf } from "./targets.ts";

const BEGIN = "<!-- figures: npm run bench -->";
const END = "<!-- /figures -->";
const EMPTY_PAGE = `# Performance\n\n${BEGIN}\n${END}\n`;

const DETAIL_DIGITS = 3;

export function terminalTable(figures: readonly RecordedFigure[]): string {
  const rows = [...figures]
    .sort((a, b) => a.row - b.row)
    .map(({ row, name, value, unit }) => {
      const target = targetOf(row);
      const limits = [formatLimit(target, target.bar), formatLimit(target, target.reach)];
      return [String(row), name, `${formatNumber(value)} ${unit}`, ...limits, judge(target, value)];
    });
  const text = table([["row", "figure", "value", "bar", "reach for", "verdict"], ...rows], {
    border: { ...getBorderCharacters("void"), bodyJoin: "  ", joinBody: "-", joinJoin: "  " },
    columnDefault: { paddingLeft: 0, paddingRight: 0 },
    drawHorizontalLine: (line) => line === 1,
  });
  return text.replaceAll(/ +$/gm, "");
}

/** Each target has at least one line, so that the table shows targets without a measurement. */
export function markdownTable({ figures, machine }: Pick<Results, "figures" | "machine">): string {
  const lines = TARGETS.flatMap((target) => {
    const limits = [`${formatLimit(target, target.bar)} ${target.unit}`, formatLimit(target, target.reach)];
    const own = figures.filter((figure) => figure.row === target.row);
    if (own.length === 0) return [[String(target.row), "", "not measured", ...limits, ""]];
    return own.map((figure) => {
      const verdict = judge(target, figure.value);
      const value = `**${formatNumber(figure.value)}** (${verdict})`;
      return [String(target.row), figure.name, value, ...limits, formatDetails(figure)];
    });
  });
  const head = ["row", "benchmark", "figure", "bar", "reach for", "what else was seen"];
  const rows = [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.map(escapeCell).join(" | ")} |`);
  return [...rows, "", formatOrigin(figures, machine)].join("\n");
}

/**
 * Returns text such as `runs 0.61 to 0.64; bare loop 8,070 lines/s`. In the name of a detail, the unit follows the last
 * comma.
 */
function formatDetails({ runs, details }: RecordedFigure): string {
  const [least, most] = [Math.min(...runs), Math.max(...runs)].map((value) => formatNumber(value, DETAIL_DIGITS));
  const spread = runs.length < 2 ? [] : [`runs ${String(least)} to ${String(most)}`];
  const others = Object.entries(details).map(([name, value]) => {
    const comma = name.lastIndexOf(", ");
    const [what, unit] = comma < 0 ? [name, ""] : [name.slice(0, comma), ` ${name.slice(comma + 2)}`];
    return `${what} ${formatNumber(value, DETAIL_DIGITS)}${unit}`;
  });
  return [...spread, ...others].join("; ");
}

function formatOrigin(figures: readonly RecordedFigure[], { cores, cpu, memory, kernel, node }: Results["machine"]) {
  const days = figures.map(({ date }) => date.slice(0, "2026-01-31".length)).sort();
  const [first, last] = [days.at(0) ?? "never", days.at(-1) ?? "never"];
  const when = first === last ? first : `${first} to ${last}`;
  return `Measured ${when} on ${String(cores)} cores of ${cpu} with ${memory}, ${kernel}, Node ${node}.`;
}

const escapeCell = (text: string): string => text.replaceAll("|", String.raw`\|`);

/** Replaces the table between the markers, or appends it to a page without markers. */
export function placeTable(page: string, text: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  const block = `${BEGIN}\n\n${text}\n\n${END}`;
  if (begin < 0 || end < begin) return `${page.trimEnd()}\n\n${block}\n`;
  return page.slice(0, begin) + block + page.slice(end + END.length);
}

/** Writes the table into the page, and creates the page if it does not exist. */
export async function writeTable(file: string, results: Results): Promise<void> {
  const page = existsSync(file) ? await readFile(file, "utf8") : EMPTY_PAGE;
  await writeFile(file, placeTable(page, markdownTable(results)));
}
