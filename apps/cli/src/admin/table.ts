/** Objects of the admin API as a table for people. */

/** A column: its heading, and what stands in it. */
export type Column = readonly [heading: string, cell: (row: Readonly<Record<string, unknown>>) => string];

/** A column of the field `name`; "-" where it is null or missing. */
export function field(heading: string, name: string): Column {
  return [heading, (row) => plain(row[name])];
}

/** A column of a time in Unix seconds, shown in UTC to the second. */
export function time(heading: string, name: string): Column {
  return [
    heading,
    (row) => {
      const seconds = row[name];
      return typeof seconds === "number" ? `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z` : "-";
    },
  ];
}

/** Lines of text: the headings, then a line for each row, in columns as wide as their widest cell. */
export function table(columns: readonly Column[], rows: readonly Readonly<Record<string, unknown>>[]): string[] {
  const cells = [columns.map(([heading]) => heading), ...rows.map((row) => columns.map(([, cell]) => cell(row)))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => (line[index] ?? "").length)));
  return cells.map((line) =>
    line
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** One value in a cell. A name's control characters must not move the terminal's cursor. */
function plain(value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  const text = Array.isArray(value) ? value.join(", ") : typeof value === "string" ? value : JSON.stringify(value);
  return text.replaceAll(/\p{Cc}/gu, " ");
}
