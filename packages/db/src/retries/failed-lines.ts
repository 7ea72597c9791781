/** Finds failed lines that can be retried: all of one batch, or the newest of all batches for the dashboard. */
import type { Queryable } from "../pool.ts";

/**
 * Returns the failed lines of a batch that have no unpublished retry, in ascending order, counted from 0. Once the
 * batch is sealed, unfinished lines are included.
 */
export async function failedLines(
  db: Queryable,
  batch: { batchNo: number; day: number; total: number; sealedAs: string | null },
): Promise<number[]> {
  const { rows } = await db.query<{ line: number }>(
    `/* retries.failed_lines */
    select n.line from generate_series(0, $3::int - 1) as n (line)
    left join lines l on l.day = $1 and l.batch_no = $2 and l.line = n.line
    where coalesce(l.failed, $4) and not exists (
      select 1 from retries m where m.batch_no = $2 and m.line = n.line and m.state in ('open', 'answered'))
    order by n.line`,
    [batch.day, batch.batchNo, batch.total, batch.sealedAs !== null],
  );
  return rows.map((row) => row.line);
}

export interface FailedLine {
  readonly batchNo: number;
  readonly batchId: string;
  readonly line: number;
  readonly requestGen: number;
}

/**
 * Returns the newest lines that ran out of attempts, for the failed set of the dashboard. Includes running batches, and
 * finished batches that can be retried because their input file is live at `now`.
 */
export async function exhaustedLines(db: Queryable, limit: number, now: Date): Promise<FailedLine[]> {
  const { rows } = await db.query<FailedLine>(
    `/* retries.exhausted */
    select l.batch_no as "batchNo", b.id as "batchId", l.line, l.request_gen as "requestGen"
    from lines l join batches b on b.batch_no = l.batch_no and b.day = l.day
    where l.exhausted and b.index_blob is not null and b.input_blob is not null
      and (b.status = 'in_progress' or b.status in ('completed', 'expired', 'cancelled') and exists (
        select 1 from files f where f.id = b.input_file_id and f.tenant = b.tenant and f.deleted_at is null
          and (f.expires_at is null or f.expires_at > $2)))
      and not exists (
        select 1 from retries m where m.batch_no = l.batch_no and m.line = l.line and m.state in ('open', 'answered'))
    order by l.batch_no desc, l.line desc limit $1`,
    [limit, now],
  );
  return rows;
}
