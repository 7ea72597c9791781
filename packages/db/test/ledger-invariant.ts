/**
 * Checks invariant 11 by SQL, and the counts and extents that must agree with it. The check must pass at any moment.
 */
import { expect } from "@jest/globals";
import type { Db } from "../src/index.ts";

/** Lines of a running batch that are not in exactly one place: past the checkpoint, in one slice, in the line index. */
const MISPLACED = `
  select l.line, p.beyond, p.slices, p.indexed
  from batches b, generate_series(0, b.total - 1) as l (line), lateral (
    select (l.line >= b.fed_lines)::int as beyond,
      (select count(*) from slices s where s.batch_no = b.batch_no and s.first_line <= l.line
        and l.line < s.first_line + s.line_count and s.todo >> (l.line - s.first_line) & 1 = 1) as slices,
      (select count(*) from lines i where i.day = b.day and i.batch_no = b.batch_no and i.line = l.line) as indexed) p
  where b.batch_no = $1 and p.beyond + p.slices + p.indexed <> 1`;

/** Slices with a bit outside of their lines, and slices without a bit. */
const IDLE_BITS = `
  select slice_no, line_count, todo::text from slices
  where batch_no = $1 and (todo = 0 or (todo::bit(64) >> line_count) <> 0::bit(64))`;

/** Counts that differ from the index. A sealed batch counts unfinished lines as failed. */
const MISCOUNTED = `
  select p.completed, p.failed, i.completed as indexed_completed, i.failed as indexed_failed
  from batch_progress p join batches b on b.batch_no = p.batch_no,
    lateral (select count(*) filter (where not failed) as completed, count(*) filter (where failed) as failed
      from lines where day = b.day and batch_no = b.batch_no) i
  where p.batch_no = $1 and (p.completed <> i.completed
    or p.failed <> case when p.sealed_at is null then i.failed else b.total - i.completed end)`;

/** Output rows that are not in exactly one output extent, and extents with bytes that belong to no row. */
const MISLAID = `
  with rows as (
    select l.line, l.segment, l.segment_offset, l.length from lines l join batches b on b.day = l.day and b.batch_no = l.batch_no
    where b.batch_no = $1 and not l.failed),
  found as (
    select r.line, count(e.batch_no) as extents from rows r
    left join extents e on e.batch_no = $1 and e.result_kind = 'output' and e.segment = r.segment
      and e.segment_offset <= r.segment_offset and r.segment_offset + r.length <= e.segment_offset + e.length
    group by r.line),
  sums as (
    select (select coalesce(sum(length), 0) from rows) as row_bytes,
      (select coalesce(sum(length), 0) from extents where batch_no = $1 and result_kind = 'output') as extent_bytes,
      (select count(*) from rows) as row_lines,
      (select coalesce(sum(lines), 0) from extents where batch_no = $1 and result_kind = 'output') as extent_lines)
  select 'line' as what, line::text as detail from found where extents <> 1
  union all select 'sums', row_to_json(sums)::text from sums where row_bytes <> extent_bytes or row_lines <> extent_lines`;

/** Fails if the ledger of a running or finished batch contradicts itself. */
export async function expectSoundLedger(db: Db, batchNo: number): Promise<void> {
  const { rows } = await db.query<{ sealed: boolean }>(
    "select sealed_at is not null as sealed from batch_progress where batch_no = $1",
    [batchNo],
  );
  const isSealed = rows[0]?.sealed === true;
  expect({
    misplaced: isSealed ? [] : await rowsOf(db, MISPLACED, batchNo),
    idleBits: await rowsOf(db, IDLE_BITS, batchNo),
    miscounted: await rowsOf(db, MISCOUNTED, batchNo),
    mislaid: await rowsOf(db, MISLAID, batchNo),
    slicesOfSealed: isSealed ? await rowsOf(db, "select slice_no from slices where batch_no = $1", batchNo) : [],
  }).toEqual({ misplaced: [], idleBits: [], miscounted: [], mislaid: [], slicesOfSealed: [] });
}

async function rowsOf(db: Db, text: string, batchNo: number): Promise<unknown[]> {
  const { rows } = await db.query<Record<string, unknown>>(text, [batchNo]);
  return rows;
}
