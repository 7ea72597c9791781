/** Finds slices that nobody works on, so that the queue can be rebuilt from the ledger. */
import type { Queryable } from "../pool.ts";
import { SMALL_BATCH_LINES, type WaitingSlice } from "./slice-row.ts";

/** Unowned slices that have been due for `forMs`, oldest first, at most `limit`. */
export async function waitingSlices(db: Queryable, limit: number, forMs = 0): Promise<WaitingSlice[]> {
  const { rows } = await db.query<WaitingSlice>(
    `/* ledger.waiting_slices */
    select s.slice_no as "sliceNo", s.gen, s.upstream, b.total > $1 as "isBulk", 0 as "delayMs"
    from slices s join batches b on b.batch_no = s.batch_no
    where s.owner is null and s.not_before <= clock_timestamp() - $3 * interval '1 millisecond' 
      and (b.status = 'in_progress' or s.retry_until is not null)
    order by s.slice_no limit $2`,
    [SMALL_BATCH_LINES, limit, forMs],
  );
  return rows;
}
