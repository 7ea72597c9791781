/** Finds batches that a worker has to act on: to advance, expire or stop them. */
import type { Queryable } from "../pool.ts";

/**
 * Numbers of the batches whose next step is due (validate, seal a cancel, assemble), oldest first, at most `limit`.
 * Batches that wait for their tenant's other batches are left out, because they would fill the list: see
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

/** Numbers of up to a hundred batches that were validating or in progress when their completion window ended. */
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
  /** No more results are recorded, so requests in flight are of no use. */
  readonly isSealed: boolean;
}

/**
 * Which of these batches (numbers), whose lines a worker holds, have ended, are being cancelled or are past their
 * deadline. Batches with slices of retries are left out.
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
