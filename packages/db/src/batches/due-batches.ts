/** Finds batches that a worker has to act on: to advance, expire or stop them. */
import type { Queryable } from "../pool.ts";

/**
 * Returns the numbers of up to `limit` batches whose next step is due (validate, seal a cancel, assemble), oldest
 * first. Leaves out batches that wait for other batches of their tenant, because they would fill the list: see
 * admit-batches.ts.
 */
export async function batchesToAdvance(db: Queryable, limit: number): Promise<number[]> {
  const { rows } = await db.query<{ batchNo: number }>(
    `/* batches.to_advance */
    select batch_no as "batchNo" from batches where status in ('validating', 'finalizing', 'cancelling')
      and (status <> 'validating' or admitted_at is not null or queued_at is null)
    order by batch_no limit $1`,
    [limit],
  );
  return rows.map((row) => row.batchNo);
}

/**
 * Returns the numbers of up to a hundred batches that were validating or in progress when their completion window
 * ended.
 */
export async function overdueBatches(db: Queryable, now: Date): Promise<number[]> {
  const { rows } = await db.query<{ batchNo: number }>(
    `/* batches.overdue */
    select batch_no as "batchNo" from batches
    where status in ('validating', 'in_progress') and deadline <= $1 order by batch_no limit 100`,
    [now],
  );
  return rows.map((row) => row.batchNo);
}

export interface StoppedBatch {
  readonly batchNo: number;
  /** True if no more results are recorded, so that requests in flight are useless. */
  readonly isSealed: boolean;
}

/**
 * Returns which of these batches have ended, are being cancelled, or are past their deadline. A worker calls it for the
 * batches whose lines it holds. Leaves out batches with slices of retries.
 */
export async function stoppedBatches(db: Queryable, batches: readonly number[], now: Date): Promise<StoppedBatch[]> {
  const { rows } = await db.query<StoppedBatch>(
    `/* batches.stopped */
    select b.batch_no as "batchNo", p.sealed_at is not null as "isSealed"
    from batches b join batch_progress p on p.batch_no = b.batch_no
    where b.batch_no = any($1) and (b.status <> 'in_progress' or b.deadline <= $2)
      and not exists (select 1 from slices s where s.batch_no = b.batch_no and s.retry_until is not null)
    order by b.batch_no`,
    [batches, now],
  );
  return rows;
}
