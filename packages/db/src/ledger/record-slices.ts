/** The part of recording that clears `todo` bits and inserts new slices for lines that need another attempt. */
import type { Tx } from "../pool.ts";
import type { LineResult, SliceReturn } from "./flush.ts";
import { fromBigint, SMALL_BATCH_LINES, toBigint, type WaitingSlice } from "./slice-row.ts";

interface HeldSlice {
  sliceNo: number;
  batchNo: number;
  gen: number;
  owner: string | null;
  upstream: string;
  firstLine: number;
  lineCount: number;
  requestGen: number;
  retryUntil: Date | null;
  todo: bigint;
}

/**
 * Clears the bit of each line with a result, in every slice of its batch that holds the line. After a worker was
 * declared dead, another worker may own the dead worker's slices. A return moves a bit only if the bit is set and the
 * slice still has the owner and `gen` of the return. All other lines of the return are dropped.
 */
export async function moveBits(
  tx: Tx,
  results: readonly LineResult[],
  returns: readonly SliceReturn[],
): Promise<WaitingSlice[]> {
  const held = await lockSlices(tx, results, returns);
  const before = new Map(held.map((slice) => [slice.sliceNo, slice.todo]));
  clearResults(held, results);
  const moved = returns.flatMap((back) => takeReturn(held, back));
  await writeTodo(
    tx,
    held.filter((slice) => slice.todo !== before.get(slice.sliceNo)),
  );
  return insertReturned(tx, moved);
}

/**
 * Locks the slices that hold the lines. Nearly always these are the slices that the lines were claimed with, found by
 * number. For a line that is no longer in that slice, it searches all slices of the batch, which costs ten times as
 * much.
 */
async function lockSlices(
  tx: Tx,
  results: readonly LineResult[],
  returns: readonly SliceReturn[],
): Promise<HeldSlice[]> {
  const numbers = new Set([...results, ...returns].map((entry) => entry.sliceNo));
  const held = await selectSlices(tx, "slice_no = any($1)", [[...numbers]]);
  const byNumber = new Map(held.map((slice) => [slice.sliceNo, slice]));
  const strays = results.filter((result) => !holds(byNumber.get(result.sliceNo), result));
  if (strays.length === 0) return held;
  const others = await selectSlices(
    tx,
    `slice_no in (
      select s.slice_no from unnest($1::bigint[], $2::int[]) as l (batch_no, line)
      join slices s on s.batch_no = l.batch_no and s.first_line between l.line - 63 and l.line
        and l.line < s.first_line + s.line_count)`,
    [strays.map((l) => l.batchNo), strays.map((l) => l.line)],
  );
  return [...held, ...others.filter((slice) => !byNumber.has(slice.sliceNo))];
}

function holds(slice: HeldSlice | undefined, { batchNo, line }: LineResult): boolean {
  if (slice?.batchNo !== batchNo) return false;
  const bit = line - slice.firstLine;
  return bit >= 0 && bit < slice.lineCount && (slice.todo & (1n << BigInt(bit))) !== 0n;
}

async function selectSlices(tx: Tx, which: string, values: readonly unknown[]): Promise<HeldSlice[]> {
  const { rows } = await tx.query<Omit<HeldSlice, "todo"> & { todo: string }>(
    `/* ledger.lock_slices */
    select slice_no as "sliceNo", batch_no as "batchNo", gen, owner, upstream, first_line as "firstLine",
      line_count as "lineCount", request_gen as "requestGen", retry_until as "retryUntil", todo::text as todo
    from slices where ${which} order by slice_no for no key update`,
    [...values],
  );
  return rows.map((row) => ({ ...row, todo: fromBigint(row.todo) }));
}

function clearResults(held: readonly HeldSlice[], results: readonly LineResult[]): void {
  const byBatch = new Map<number, Set<number>>();
  for (const result of results)
    byBatch.set(result.batchNo, (byBatch.get(result.batchNo) ?? new Set()).add(result.line));
  for (const slice of held) {
    const done = byBatch.get(slice.batchNo);
    if (done === undefined) continue;
    for (let i = 0; i < slice.lineCount; i += 1) {
      if (done.has(slice.firstLine + i)) slice.todo &= ~(1n << BigInt(i));
    }
  }
}

interface ReturnedSlice {
  from: HeldSlice;
  back: SliceReturn;
  todo: bigint;
}

function takeReturn(held: readonly HeldSlice[], back: SliceReturn): ReturnedSlice[] {
  const from = held.find((slice) => slice.sliceNo === back.sliceNo);
  if (from?.owner !== back.owner || from.gen !== back.gen) return [];
  let todo = 0n;
  for (const line of back.lines) {
    const bit = 1n << BigInt(line - from.firstLine);
    if ((from.todo & bit) === 0n) continue;
    from.todo &= ~bit;
    todo |= 1n << BigInt(line - back.firstLine);
  }
  return todo === 0n ? [] : [{ from, back, todo }];
}

async function writeTodo(tx: Tx, changed: readonly HeldSlice[]): Promise<void> {
  const done = changed.filter((slice) => slice.todo === 0n);
  if (done.length > 0) {
    await tx.query("/* ledger.delete_done */ delete from slices where slice_no = any($1)", [
      done.map((s) => s.sliceNo),
    ]);
  }
  const left = changed.filter((slice) => slice.todo !== 0n);
  if (left.length > 0) {
    await tx.query(
      `/* ledger.clear_bits */
      update slices s set todo = v.todo from unnest($1::bigint[], $2::bigint[]) as v (slice_no, todo)
      where s.slice_no = v.slice_no`,
      [left.map((s) => s.sliceNo), left.map((s) => toBigint(s.todo))],
    );
  }
}

async function insertReturned(tx: Tx, moved: readonly ReturnedSlice[]): Promise<WaitingSlice[]> {
  if (moved.length === 0) return [];
  const { rows } = await tx.query<WaitingSlice>(
    `/* ledger.insert_returned */
    with inserted as (
      insert into slices (batch_no, upstream, first_line, line_count, byte_offset, byte_length, todo, attempt, request_gen,
        not_before, retry_until)
      select batch_no, upstream, first_line, line_count, byte_offset, byte_length, todo, attempt, request_gen,
        clock_timestamp() + delay_ms * interval '1 millisecond', retry_until
      from unnest($1::bigint[], $2::text[], $3::int[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[], $8::int[],
        $9::int[], $10::float8[], $12::timestamptz[])
        as v (batch_no, upstream, first_line, line_count, byte_offset, byte_length, todo, attempt, request_gen, delay_ms,
          retry_until)
      returning slice_no, gen, upstream, batch_no, not_before)
    select i.slice_no as "sliceNo", i.gen, i.upstream, b.total > $11 as "isBulk",
      greatest(0, ceil(extract(epoch from i.not_before - clock_timestamp()) * 1000))::float8 as "delayMs"
    from inserted i join batches b on b.batch_no = i.batch_no`,
    [
      moved.map((m) => m.from.batchNo),
      moved.map((m) => m.from.upstream),
      moved.map((m) => m.back.firstLine),
      moved.map((m) => m.back.lineCount),
      moved.map((m) => m.back.byteOffset),
      moved.map((m) => m.back.byteLength),
      moved.map((m) => toBigint(m.todo)),
      moved.map((m) => m.back.attempt),
      moved.map((m) => m.from.requestGen),
      moved.map((m) => m.back.delayMs),
      SMALL_BATCH_LINES,
      moved.map((m) => m.from.retryUntil),
    ],
  );
  return rows;
}
