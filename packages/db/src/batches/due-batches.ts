/** Finds the batches that need a push: the reconciler's and the deadline's view. */
import type { Queryable } from "../pool.ts";

/**
 * Numbers of the batches that a step waits for (validate, seal a cancel, assemble), oldest first, at most `limit`. Those that
 * wait for their tenant's other batches are no business of this list, which they would fill: see admit-batches.ts.
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

/** Numbers of the batches whose completion window has ended while they were validating or in progress. */
export async function overdueBatches(db: Queryable, now: Date): Promise<number[]> {
  const { rows } = await db.query<{ batchNo: number }>(
    `/* batches.overdue */
    select batch_no as "batchNo" from batches where status in ('validating', 'in_progress') and deadline <= $1 order by batch_no limit 100`,
    [now],
  );
  return rows.map((row) => row.batchNo);
}
