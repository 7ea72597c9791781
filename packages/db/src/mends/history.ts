/** What happened to a batch beyond its states: an entry for each mend that was asked for, each outcome, each rebuild of the files. */
import type { Queryable } from "../pool.ts";

export type HistoryEvent = "mends_asked" | "mends_succeeded" | "mends_failed" | "mends_given_up" | "files_rebuilt";

export interface HistoryEntry {
  /** In the order of writing. */
  readonly id: number;
  readonly at: Date;
  readonly what: HistoryEvent;
  /** Who asked; null: the service itself. */
  readonly by: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface NewHistoryEntry {
  readonly batch: number;
  readonly at: Date;
  readonly what: HistoryEvent;
  readonly by?: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Line numbers that one entry names; the count says how many there are. */
const MAX_NAMED_LINES = 100;

/** How many lines, and the first hundred of them as people count, from 1. `lines` count from 0. */
export function linesDetail(lines: readonly number[]): { count: number; lines: number[] } {
  const named = [...lines].sort((a, b) => a - b).slice(0, MAX_NAMED_LINES);
  return { count: lines.length, lines: named.map((line) => line + 1) };
}

/** Adds an entry to a batch's history; `by` is null where nobody but the service itself did it. */
export async function writeHistory(db: Queryable, entry: NewHistoryEntry): Promise<void> {
  await db.query(
    "/* history.insert */ insert into batch_history (batch, at, what, by, details) values ($1, $2, $3, $4, $5)",
    [entry.batch, entry.at, entry.what, entry.by ?? null, JSON.stringify(entry.details)],
  );
}

/** The newest entries of a batch (by number), the oldest of them first; at most `limit`. */
export async function listBatchHistory(db: Queryable, batch: number, limit = 1_000): Promise<HistoryEntry[]> {
  const { rows } = await db.query<HistoryEntry>(
    `/* history.list */
    select id, at, what, by, details from batch_history where batch = $1 order by id desc limit $2`,
    [batch, limit],
  );
  return rows.reverse();
}
