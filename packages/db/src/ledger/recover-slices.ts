/** Finds slices that the queue or their worker has lost. */
import type { Queryable } from "../pool.ts";
import { arrayLiteral } from "../sql.ts";
import { SMALL_BATCH_LINES, type SliceRef, type WaitingSlice } from "./slice-row.ts";

/** Returns up to `limit` slices without an owner that have been due for `forMs`, oldest first. */
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

/** Returns the slices that a worker owns, ordered by number. The worker compares them with the slices that it holds. */
export async function ownedSlices(db: Queryable, worker: string): Promise<SliceRef[]> {
  const { rows } = await db.query<SliceRef>(
    `/* ledger.owned_slices */ select slice_no as "sliceNo", gen from slices where owner = $1 order by slice_no`,
    [worker],
  );
  return rows;
}

/** Frees the slices that the worker still owns, and gives them a new `gen`. Returns the number of freed slices. */
export async function freeSlices(db: Queryable, worker: string, slices: readonly SliceRef[]): Promise<number> {
  const { rowCount } = await db.query(
    `/* ledger.free_slices */
    update slices set owner = null, gen = gen + 1
    where slice_no in (
      select s.slice_no from unnest($2::bigint[], $3::int[]) as lost (slice_no, gen)
      join slices s on s.slice_no = lost.slice_no and s.gen = lost.gen
      where s.owner = $1 order by s.slice_no for no key update of s)`,
    [worker, arrayLiteral(slices.map(({ sliceNo }) => sliceNo)), arrayLiteral(slices.map(({ gen }) => gen))],
  );
  return rowCount ?? 0;
}
