/**
 * The history of a batch: its statuses, and an entry for each retry request, each outcome and each rebuild of its
 * files.
 */
import type { BatchStatus } from "@nightshift/domain";
import type { Queryable } from "../pool.ts";

type RetryEvent = "retries_asked" | "retries_succeeded" | "retries_failed" | "retries_given_up";

/** The number of lines, and the first hundred line numbers, counted from 1. */
interface LinesDetail {
  readonly count: number;
  readonly lines: readonly number[];
}

/** What a rebuild did with each file. */
interface FilesDetail {
  readonly output: FileOutcome;
  readonly error: FileOutcome;
}
export type FileOutcome = "keep" | "create" | "replace" | "remove" | "forget";

type NewHistoryEntry = {
  readonly batchNo: number;
  readonly at: Date;
  /** The key or admin that requested the change. Omitted if the service made it. */
  readonly by?: string;
} & (
  | { readonly what: RetryEvent; readonly details: LinesDetail }
  | { readonly what: "files_rebuilt"; readonly details: FilesDetail }
);

/** The maximum number of line numbers that an entry lists. Its `count` includes all lines. */
const MAX_NAMED_LINES = 100;

/** Makes the details of an entry. `lines` are counted from 0. */
export function linesDetail(lines: readonly number[]): LinesDetail {
  const named = [...lines].sort((a, b) => a - b).slice(0, MAX_NAMED_LINES);
  return { count: lines.length, lines: named.map((line) => line + 1) };
}

/** Adds an entry to a batch's history. */
export async function insertHistoryEntry(db: Queryable, entry: NewHistoryEntry): Promise<void> {
  await db.query(
    "/* history.insert */ insert into batch_history (batch_no, at, what, by, details) values ($1, $2, $3, $4, $5)",
    [entry.batchNo, entry.at, entry.what, entry.by ?? null, JSON.stringify(entry.details)],
  );
}

/**
 * Adds the outcome of retries to the history: an entry for those that succeeded, and one for those that failed again.
 */
export async function insertRetryOutcomes(
  db: Queryable,
  batchNo: number,
  retries: readonly { line: number; failed: boolean }[],
  now: Date,
): Promise<void> {
  for (const failed of [false, true]) {
    const lines = retries.filter((retry) => retry.failed === failed).map((retry) => retry.line);
    if (lines.length === 0) continue;
    const what = failed ? "retries_failed" : "retries_succeeded";
    await insertHistoryEntry(db, { batchNo, at: now, what, details: linesDetail(lines) });
  }
}

export type HistoryEntry = {
  /** The id is unique within the batch. It reveals nothing about other batches. */
  readonly id: string;
  readonly at: Date;
  /** The key or admin that requested the change. Null if the service made it, or if it is unknown. */
  readonly by: string | null;
} & (
  | { readonly what: "status"; readonly status: BatchStatus }
  | { readonly what: RetryEvent; readonly details: LinesDetail }
  | { readonly what: "files_rebuilt"; readonly details: FilesDetail }
);

export interface HistoryPage {
  readonly rows: HistoryEntry[];
  readonly hasMore: boolean;
}

/**
 * If two entries have the same time, the entry with the higher rank counts as later. Statuses rank below the entries of
 * `batch_history`.
 */
const ENTRIES = `
  select v.status as id, v.at, v.rank, 'status' as what, v.status, null::text as by, null::jsonb as details
  from batches b cross join lateral (values
    ('validating', b.created_at, 1), ('in_progress', b.in_progress_at, 2), ('finalizing', b.finalizing_at, 3),
    ('cancelling', b.cancelling_at, 4), ('completed', b.completed_at, 5), ('failed', b.failed_at, 5),
    ('expired', b.expired_at, 5), ('cancelled', b.cancelled_at, 5)) as v (status, at, rank)
  where b.batch_no = $1 and v.at is not null
  union all
  select n::text, at, 5 + n, what, null, by, details
  from (select h.*, row_number() over (order by h.id) as n from batch_history h where h.batch_no = $1) h`;

/**
 * Returns a page of a batch's history, newest entry first. `after` is exclusive. Returns null if `after` does not name
 * an entry.
 */
export async function listBatchHistory(
  db: Queryable,
  batchNo: number,
  page: { readonly limit: number; readonly after: string | null },
): Promise<HistoryPage | null> {
  const { rows } = await db.query<HistoryEntry>(
    `/* history.list */
    with entries as (${ENTRIES}), cursor as (select at, rank from entries where id = $2)
    select id, at, what, status, by, details from entries
    where $2::text is null or (at, rank) < (select at, rank from cursor)
    order by at desc, rank desc limit $3`,
    [batchNo, page.after, page.limit + 1],
  );
  if (rows.length === 0 && page.after !== null && !(await hasEntry(db, batchNo, page.after))) return null;
  return { rows: rows.slice(0, page.limit), hasMore: rows.length > page.limit };
}

async function hasEntry(db: Queryable, batchNo: number, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* history.cursor */ with entries as (${ENTRIES}) select 1 from entries where id = $2`,
    [batchNo, id],
  );
  return rowCount === 1;
}
