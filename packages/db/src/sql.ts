/** Pieces of SQL text that several statements share. */
import { TOKEN_COUNTERS } from "@nightshift/domain";

/**
 * Writes numbers or booleans as a Postgres array literal. pg's own encoder quotes and escapes each element, which takes
 * 5 µs for the ten columns of a line.
 */
export function arrayLiteral(values: readonly (number | boolean)[]): string {
  return `{${values.join(",")}}`;
}

/** Writes one fragment for each column of the token counters, separated by commas. */
export function eachTokenColumn(fragment: (column: string, index: number) => string): string {
  return TOKEN_COUNTERS.map(({ column }, index) => fragment(column, index)).join(", ");
}
