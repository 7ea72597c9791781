/** The part of recording that writes results: line index, extents, counts and usage. */
import { type ResultKind, sumUsage, TOKEN_COUNTERS } from "@nightshift/domain";
import type { Tx } from "../pool.ts";
import { arrayLiteral, eachTokenColumn } from "../sql.ts";
import type { LineResult, WrittenSegment } from "./flush.ts";

/** The progress of a batch whose row is locked. The counts include what this transaction adds. */
export interface ProgressRow {
  readonly batchNo: number;
  readonly day: number;
  readonly total: number;
  readonly isSealed: boolean;
  readonly retryCount: number;
  /** The `seq` of the rows of this flush. */
  readonly seq: number;
  completed: number;
  failed: number;
}

/**
 * Locks the progress of batches, in ascending order, until the transaction ends. Returns the rows of those that exist.
 */
export async function lockProgress(tx: Tx, batches: readonly number[]): Promise<Map<number, ProgressRow>> {
  const { rows } = await tx.query<ProgressRow>(
    `/* ledger.lock_progress */
    select p.batch_no as "batchNo", b.day, b.total, p.sealed_at is not null as "isSealed", p.retry_count as "retryCount",
      p.seq + 1 as seq, p.completed, p.failed
    from batch_progress p join batches b on b.batch_no = p.batch_no
    where p.batch_no = any($1) order by p.batch_no for no key update of p`,
    [batches],
  );
  return new Map(rows.map((row) => [row.batchNo, row]));
}

/**
 * Inserts the segments and returns their ids by key. The keys may already exist, because an ambiguous commit is
 * repeated.
 */
export async function insertSegments(tx: Tx, segments: readonly WrittenSegment[]): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ key: string; id: number }>(
    `/* ledger.insert_segments */
    insert into segments (key, bytes) select key, bytes from unnest($1::text[], $2::bigint[]) as v (key, bytes)
    on conflict (key) do update set bytes = excluded.bytes returning key, id`,
    [segments.map((s) => s.key), segments.map((s) => s.bytes)],
  );
  return new Map(rows.map((row) => [row.key, row.id]));
}

/** A result with its segment's id and its batch's progress. */
interface PlacedResult {
  readonly result: LineResult;
  readonly segment: number;
  readonly progress: ProgressRow;
}

/** Inserts the results into the line index and returns those that it inserted. The first result of a line wins. */
export async function insertIndexRows(
  tx: Tx,
  segments: ReadonlyMap<string, number>,
  results: readonly LineResult[],
  progress: ReadonlyMap<number, ProgressRow>,
): Promise<LineResult[]> {
  const placed = results.map((result) => placeResult(result, segments, progress));
  const { rowCount } = await tx.query(
    `/* ledger.insert_lines */
    insert into lines (day, batch_no, line, segment, segment_offset, length, failed, exhausted, request_gen, seq)
    select day, batch_no, line, segment, segment_offset, length, failed, exhausted, request_gen, seq
    from unnest($1::bigint[], $2::int[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::bool[], $8::bool[],
        $9::int[], $10::bigint[])
      as v (segment, day, batch_no, line, segment_offset, length, failed, exhausted, request_gen, seq)
    on conflict (day, batch_no, line) do nothing`,
    [
      arrayLiteral(placed.map((p) => p.segment)),
      arrayLiteral(placed.map((p) => p.progress.day)),
      arrayLiteral(placed.map((p) => p.result.batchNo)),
      arrayLiteral(placed.map((p) => p.result.line)),
      arrayLiteral(placed.map((p) => p.result.offset)),
      arrayLiteral(placed.map((p) => p.result.length)),
      arrayLiteral(placed.map((p) => p.result.resultKind === "error")),
      arrayLiteral(placed.map((p) => p.result.isExhausted)),
      arrayLiteral(placed.map((p) => p.result.requestGen)),
      arrayLiteral(placed.map((p) => p.progress.seq)),
    ],
  );
  return rowCount === results.length ? [...results] : withoutLosers(tx, placed);
}

function placeResult(
  result: LineResult,
  segments: ReadonlyMap<string, number>,
  progress: ReadonlyMap<number, ProgressRow>,
): PlacedResult {
  const [segment, row] = [segments.get(result.segment), progress.get(result.batchNo)];
  if (segment === undefined || row === undefined)
    throw new Error("the flush lacks the segment or the batch of one of its results");
  return { result, segment, progress: row };
}

/**
 * Finds the inserted rows by their `seq`, which is unique to this transaction. Called only if a line already had a
 * result, so the usual insert does not have to return rows.
 */
async function withoutLosers(tx: Tx, placed: readonly PlacedResult[]): Promise<LineResult[]> {
  const { rows } = await tx.query<{ segment: number; offset: number }>(
    `/* ledger.winners */
    select l.segment, l.segment_offset as offset
    from (select distinct *
        from unnest($1::int[], $2::bigint[], $3::int[], $4::bigint[]) as v (day, batch_no, line, seq)) v
    join lines l on l.day = v.day and l.batch_no = v.batch_no and l.line = v.line and l.seq = v.seq`,
    [
      arrayLiteral(placed.map((p) => p.progress.day)),
      arrayLiteral(placed.map((p) => p.result.batchNo)),
      arrayLiteral(placed.map((p) => p.result.line)),
      arrayLiteral(placed.map((p) => p.progress.seq)),
    ],
  );
  // No two results have the same place.
  const won = new Set(rows.map((row) => `${String(row.segment)} ${String(row.offset)}`));
  return placed.filter((p) => won.has(`${String(p.segment)} ${String(p.result.offset)}`)).map((p) => p.result);
}

interface Extent {
  readonly batchNo: number;
  readonly resultKind: ResultKind;
  readonly segment: string;
  readonly offset: number;
  length: number;
  lines: number;
}

/** Joins adjacent results of the same segment, batch and kind. Bytes of results that lost a race are in no extent. */
function toExtents(results: readonly LineResult[]): Extent[] {
  const extents: Extent[] = [];
  // The results are already in this order, unless some were dropped.
  const inOrder = [...results].sort((a, b) =>
    a.segment < b.segment ? -1 : a.segment > b.segment ? 1 : a.offset - b.offset,
  );
  for (const { segment, batchNo, resultKind, offset, length } of inOrder) {
    const last = extents.at(-1);
    const isNext =
      last?.segment === segment &&
      last.batchNo === batchNo &&
      last.resultKind === resultKind &&
      last.offset + last.length === offset;
    if (isNext) {
      last.length += length;
      last.lines += 1;
    } else {
      extents.push({ batchNo, resultKind, segment, offset, length, lines: 1 });
    }
  }
  return extents;
}

/**
 * Inserts the extents of the recorded results. `segments` comes from `insertSegments`, `progress` from `lockProgress`.
 */
export async function insertExtents(
  tx: Tx,
  segments: ReadonlyMap<string, number>,
  results: readonly LineResult[],
  progress: ReadonlyMap<number, ProgressRow>,
): Promise<void> {
  const extents = toExtents(results);
  await tx.query(
    `/* ledger.insert_extents */
    insert into extents (batch_no, seq, result_kind, segment, segment_offset, length, lines)
    select batch_no, seq, result_kind, segment, segment_offset, length, lines
    from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::int[], $6::int[], $7::int[])
      as v (segment, batch_no, seq, result_kind, segment_offset, length, lines)`,
    [
      extents.map((e) => segments.get(e.segment)),
      extents.map((e) => e.batchNo),
      extents.map((e) => progress.get(e.batchNo)?.seq),
      extents.map((e) => e.resultKind),
      extents.map((e) => e.offset),
      extents.map((e) => e.length),
      extents.map((e) => e.lines),
    ],
  );
}

/** Adds the results to the counts and usage of their batches, and increments `seq`. */
export async function addProgress(
  tx: Tx,
  results: readonly LineResult[],
  progress: ReadonlyMap<number, ProgressRow>,
): Promise<void> {
  const byBatch = new Map<number, LineResult[]>();
  for (const result of results) {
    const ofBatch = byBatch.get(result.batchNo);
    if (ofBatch === undefined) byBatch.set(result.batchNo, [result]);
    else ofBatch.push(result);
  }
  const sums = [...byBatch].map(([batchNo, ofBatch]) => {
    const completed = ofBatch.filter((r) => r.resultKind === "output").length;
    const usage = sumUsage(ofBatch.flatMap((r) => r.usage ?? []));
    return { batchNo, completed, failed: ofBatch.length - completed, usage };
  });
  await tx.query(
    `/* ledger.add_progress */
    update batch_progress p set seq = p.seq + 1, completed = p.completed + v.completed, failed = p.failed + v.failed,
      ${eachTokenColumn((column) => `${column} = p.${column} + v.${column}`)}
    from unnest($1::bigint[], $2::int[], $3::int[], ${eachTokenColumn((_, i) => `$${String(i + 4)}::bigint[]`)})
      as v (batch_no, completed, failed, ${eachTokenColumn((column) => column)})
    where p.batch_no = v.batch_no`,
    [
      sums.map((sum) => sum.batchNo),
      sums.map((sum) => sum.completed),
      sums.map((sum) => sum.failed),
      ...TOKEN_COUNTERS.map(({ name }) => sums.map((sum) => sum.usage[name])),
    ],
  );
  for (const { batchNo, completed, failed } of sums) {
    const row = progress.get(batchNo);
    if (row === undefined) continue;
    row.completed += completed;
    row.failed += failed;
  }
}
