/** Claims slices for a worker. A job that the queue delivers twice claims its slice once. */
import type { Queryable } from "../pool.ts";
import { arrayLiteral } from "../sql.ts";
import { fromBigint, SMALL_BATCH_LINES, type ClaimedSlice, type SliceRef } from "./slice-row.ts";

type ClaimRow = Omit<ClaimedSlice, "todo"> & { todo: string };

/**
 * Claims the slices that can be claimed, and returns them. A slice is skipped if its job is stale: the slice was
 * deleted, has a different `gen`, or has an owner. A slice is also skipped if its batch is not in progress or is past
 * its deadline. Slices of retries of finished batches have their own deadline. Returns nothing if the worker was
 * declared dead. One statement claims many slices, because slices are handed out in bursts and each statement costs 0.3
 * ms on either side.
 */
export async function claimSlices(
  db: Queryable,
  worker: string,
  slices: readonly SliceRef[],
  now: Date,
): Promise<ClaimedSlice[]> {
  const { rows } = await db.query<ClaimRow>(
    `/* ledger.claim */
    with claimable as (
      select s.slice_no
      from unnest($2::bigint[], $3::int[]) as job (slice_no, gen)
      join slices s on s.slice_no = job.slice_no and s.gen = job.gen
      join batches b on b.batch_no = s.batch_no
      where s.owner is null and case when s.retry_until is null then b.status = 'in_progress' and b.deadline > $4
          else s.retry_until > $4 end
        and exists (select 1 from workers where id = $1)
      order by s.slice_no for no key update of s)
    update slices s set owner = $1
    from claimable c, batches b
    where s.slice_no = c.slice_no and b.batch_no = s.batch_no
    returning s.owner, s.slice_no as "sliceNo", s.gen, s.upstream, s.batch_no as "batchNo", b.id as "batchId", b.tenant,
      b.endpoint, b.input_blob as "inputBlob", coalesce(s.retry_until, b.deadline) as deadline, b.total > $5 as "isBulk",
      s.first_line as "firstLine", s.line_count as "lineCount", s.byte_offset as "byteOffset",
      s.byte_length as "byteLength", s.todo::text as todo, s.attempt, s.request_gen as "requestGen"`,
    [
      worker,
      arrayLiteral(slices.map((slice) => slice.sliceNo)),
      arrayLiteral(slices.map((slice) => slice.gen)),
      now,
      SMALL_BATCH_LINES,
    ],
  );
  return rows.map((row) => ({ ...row, todo: fromBigint(row.todo) }));
}
