/** Reads a batch's history: its states, from the batch's own timestamps, and what was written down beside them. */
import type { BatchStatus } from "@nightshift/domain";
import type { Queryable } from "../pool.ts";
import type { FilesDetail, LinesDetail, RetryEvent } from "./history.ts";

export type HistoryEntry = {
  /** Unique within the batch, and says nothing of other batches. */
  readonly id: string;
  readonly at: Date;
  /** Who asked for it; null: the service itself, or it was not written down. */
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

/** Of two entries of the same moment the one of the higher rank came later: states in their order, then what is written down. */
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

/** A page of the batch's history (by its number), the newest entry first; null where `after`, which is exclusive, names no entry. */
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
