/** What happened to a batch beyond its states: an entry for each retry that was asked for, each outcome, each rebuild of the files. */
import type { Queryable } from "../pool.ts";

export type RetryEvent = "retries_asked" | "retries_succeeded" | "retries_failed" | "retries_given_up";

/** How many lines, and the numbers of the first hundred of them, from 1. */
export interface LinesDetail {
  readonly count: number;
  readonly lines: readonly number[];
}

/** What a rebuild did to each of the files. */
export interface FilesDetail {
  readonly output: FileOutcome;
  readonly error: FileOutcome;
}
export type FileOutcome = "keep" | "create" | "replace" | "remove" | "forget";

export type NewHistoryEntry = {
  readonly batchNo: number;
  readonly at: Date;
  /** Who asked; left out: the service itself. */
  readonly by?: string;
} & (
  | { readonly what: RetryEvent; readonly details: LinesDetail }
  | { readonly what: "files_rebuilt"; readonly details: FilesDetail }
);

/** Line numbers that one entry names; the count says how many there are. */
const MAX_NAMED_LINES = 100;

/** How many lines, and the first hundred of them as people count, from 1. `lines` count from 0. */
export function linesDetail(lines: readonly number[]): LinesDetail {
  const named = [...lines].sort((a, b) => a - b).slice(0, MAX_NAMED_LINES);
  return { count: lines.length, lines: named.map((line) => line + 1) };
}

/** Adds an entry to a batch's history; `by` is null where nobody but the service itself did it. */
export async function writeHistory(db: Queryable, entry: NewHistoryEntry): Promise<void> {
  await db.query(
    "/* history.insert */ insert into batch_history (batch_no, at, what, by, details) values ($1, $2, $3, $4, $5)",
    [entry.batchNo, entry.at, entry.what, entry.by ?? null, JSON.stringify(entry.details)],
  );
}
