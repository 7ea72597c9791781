/** Takes a slice for a worker. What the queue delivers twice is claimed once. */
import type { Queryable } from "../pool.ts";
import { fromBigint, SMALL_BATCH_LINES, type ClaimedSlice, type SliceRef } from "./slice-row.ts";

type ClaimRow = Omit<ClaimedSlice, "todo"> & { todo: string };

/**
 * Null where the job is stale: the slice is gone, freed again under another `gen`, owned, its batch not in progress or past
 * its deadline, or the worker itself was declared dead.
 */
export async function claimSlice(
  db: Queryable,
  worker: string,
  slice: SliceRef,
  now: Date,
): Promise<ClaimedSlice | null> {
  const { rows } = await db.query<ClaimRow>(
    `/* ledger.claim */
    update slices s set owner = $1
    from batches b
    where s.slice_no = $2 and s.gen = $3 and s.owner is null
      and b.number = s.batch and b.status = 'in_progress' and b.deadline > $4
      and exists (select 1 from workers where id = $1)
    returning s.owner, s.slice_no as "sliceNo", s.gen, s.upstream, s.batch, b.id as "batchId", b.tenant, b.endpoint,
      b.input_blob as "inputBlob", b.deadline, b.total > $5 as "isBulk", s.first_line as "firstLine", s.line_count as "lineCount",
      s.byte_offset as "byteOffset", s.byte_length as "byteLength", s.todo::text as todo, s.attempt,
      s.request_gen as "requestGen"`,
    [worker, slice.sliceNo, slice.gen, now, SMALL_BATCH_LINES],
  );
  const row = rows[0];
  return row ? { ...row, todo: fromBigint(row.todo) } : null;
}
