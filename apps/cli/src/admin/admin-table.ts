/** Shows objects of the admin API as a table. */
import { getBorderCharacters, table } from "table";

/** An object of the admin API. */
export type AdminObject = Readonly<Record<string, unknown>>;

/** A column: its heading, and the text of its cell for an object. */
export type Column = readonly [heading: string, cell: (object: AdminObject) => string];

/** Returns a column of the field `name`. The cell is "-" if the field is null or missing. */
export function field(heading: string, name: string): Column {
  return [heading, (object) => formatValue(object[name])];
}

/** Returns a column of a time in Unix seconds, shown in UTC to the second. */
export function time(heading: string, name: string): Column {
  return [
    heading,
    (object) => {
      const seconds = object[name];
      return typeof seconds === "number" ? `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z` : "-";
    },
  ];
}

/** Returns a line of headings, and then one line per object. */
export function objectTable(columns: readonly Column[], objects: readonly AdminObject[]): string[] {
  const rows = objects.map((object) => columns.map(([, cell]) => cell(object)));
  return alignColumns([columns.map(([heading]) => heading), ...rows]);
}

/** Returns the given fields of one object, one per line. */
export function fieldList(fields: readonly (readonly [name: string, value: unknown])[]): string[] {
  return alignColumns(fields.map(([name, value]) => [name, formatValue(value)]));
}

/** The package `table` knows the width of characters in a terminal: a CJK character is two columns wide. */
function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const text = table(
    rows.map((row) => [...row]),
    {
      border: { ...getBorderCharacters("void"), bodyJoin: "  " },
      columnDefault: { paddingLeft: 0, paddingRight: 0 },
      drawHorizontalLine: () => false,
    },
  );
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd());
}

/** Replaces control characters, so that a name cannot move the terminal's cursor. */
function formatValue(value: unknown): string {
  if (value === null || value === undefined || value === "") return "-";
  const text = Array.isArray(value) ? value.join(", ") : typeof value === "string" ? value : JSON.stringify(value);
  return text.replaceAll(/\p{Cc}/gu, " ");
}
