/** Tells a worker which of the batches it holds lines of have ended or are being cancelled. */
import type { Queryable } from "../pool.ts";

export interface StoppedBatch {
  readonly batchNo: number;
  /** No result of it is recorded any more: what is in flight is in vain. */
  readonly isSealed: boolean;
}

/** Those of `batches` (numbers) that are not in progress any more, or past their deadline, and whose lines nobody retries. */
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
