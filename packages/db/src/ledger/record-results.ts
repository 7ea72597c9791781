/** The half of recording that writes results: line index, extents, counts and usage. */
import { arrayLiteral } from "../array-literal.ts";
import type { Tx } from "../pool.ts";
import type { LineResult, WrittenSegment } from "./flush.ts";

/** A batch's progress while its row is locked; counts are kept in step with what this transaction adds. */
export interface ProgressRow {
  readonly batchNo: number;
  readonly day: number;
  readonly total: number;
  readonly isSealed: boolean;
  readonly retries: number;
  /** The `seq` of this flush's rows. */
  readonly seq: number;
  completed: number;
  failed: number;
}

/** Locks the progress of batches, in ascending order, until the transaction ends; by batch. One that is not there is left out. */
export async function lockProgress(tx: Tx, batches: readonly number[]): Promise<Map<number, ProgressRow>> {
  const { rows } = await tx.query<ProgressRow>(
    `/* ledger.lock_progress */
    select p.batch_no as "batchNo", b.day, b.total, p.sealed_at is not null as "isSealed", p.retries, p.seq + 1 as seq, p.completed, p.failed
    from batch_progress p join batches b on b.batch_no = p.batch_no
    where p.batch_no = any($1) order by p.batch_no for no key update of p`,
    [batches],
  );
  return new Map(rows.map((row) => [row.batchNo, row]));
}

/** Notes the segments and returns their numbers by key. A flush whose commit was ambiguous comes again with the same keys. */
export async function insertSegments(tx: Tx, segments: readonly WrittenSegment[]): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ key: string; id: number }>(
    `/* ledger.insert_segments */
    insert into segments (key, bytes) select key, bytes from unnest($1::text[], $2::bigint[]) as v (key, bytes)
    on conflict (key) do update set bytes = excluded.bytes returning key, id`,
    [segments.map((s) => s.key), segments.map((s) => s.bytes)],
  );
  return new Map(rows.map((row) => [row.key, row.id]));
}

/** A result, and the rows that it belongs to. */
interface PlacedResult {
  readonly result: LineResult;
  readonly segment: number;
  readonly progress: ProgressRow;
}

/** The first result of a line wins; returns those that did. */
export async function insertIndexRows(
  tx: Tx,
  segments: ReadonlyMap<string, number>,
  results: readonly LineResult[],
  progress: ReadonlyMap<number, ProgressRow>,
): Promise<LineResult[]> {
  const placed = results.map((result) => place(result, segments, progress));
  const { rowCount } = await tx.query(
    `/* ledger.insert_lines */
    insert into lines (day, batch_no, line, segment, segment_offset, length, failed, exhausted, request_gen, seq)
    select day, batch_no, line, segment, segment_offset, length, failed, exhausted, request_gen, seq
    from unnest($1::bigint[], $2::int[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::bool[], $8::bool[], $9::int[], $10::bigint[])
      as v (segment, day, batch_no, line, segment_offset, length, failed, exhausted, request_gen, seq)
    on conflict (day, batch_no, line) do nothing`,
    [
      arrayLiteral(placed.map((p) => p.segment)),
      arrayLiteral(placed.map((p) => p.progress.day)),
      arrayLiteral(placed.map((p) => p.result.batchNo)),
      arrayLiteral(placed.map((p) => p.result.line)),
      arrayLiteral(placed.map((p) => p.result.offset)),
      arrayLiteral(placed.map((p) => p.result.length)),
      arrayLiteral(placed.map((p) => p.result.kind === "error")),
      arrayLiteral(placed.map((p) => p.result.isExhausted)),
      arrayLiteral(placed.map((p) => p.result.requestGen)),
      arrayLiteral(placed.map((p) => p.progress.seq)),
    ],
  );
  return rowCount === results.length ? [...results] : withoutLosers(tx, placed);
}

function place(
  result: LineResult,
  segments: ReadonlyMap<string, number>,
  progress: ReadonlyMap<number, ProgressRow>,
): PlacedResult {
  const [segment, row] = [segments.get(result.segment), progress.get(result.batchNo)];
  if (segment === undefined || row === undefined) throw new Error(`a result lies in no segment or batch of its flush`);
  return { result, segment, progress: row };
}

/** By `seq`, which no other transaction has. Asked only where a line had a result already: the usual insert returns no rows. */
async function withoutLosers(tx: Tx, placed: readonly PlacedResult[]): Promise<LineResult[]> {
  const { rows } = await tx.query<{ segment: number; offset: number }>(
    `/* ledger.winners */
    select l.segment, l.segment_offset as offset
    from (select distinct * from unnest($1::int[], $2::bigint[], $3::int[], $4::bigint[]) as v (day, batch_no, line, seq)) v
    join lines l on l.day = v.day and l.batch_no = v.batch_no and l.line = v.line and l.seq = v.seq`,
    [
      arrayLiteral(placed.map((p) => p.progress.day)),
      arrayLiteral(placed.map((p) => p.result.batchNo)),
      arrayLiteral(placed.map((p) => p.result.line)),
      arrayLiteral(placed.map((p) => p.progress.seq)),
    ],
  );
  // No two results lie in the same place.
  const won = new Set(rows.map((row) => `${String(row.segment)} ${String(row.offset)}`));
  return placed.filter((p) => won.has(`${String(p.segment)} ${String(p.result.offset)}`)).map((p) => p.result);
}

interface Extent {
  readonly batchNo: number;
  readonly kind: string;
  readonly segment: string;
  readonly offset: number;
  length: number;
  lines: number;
}

/** Neighbouring results of the same segment, batch and kind make one extent; bytes that lost a race lie in none. */
function toExtents(results: readonly LineResult[]): Extent[] {
  const extents: Extent[] = [];
  // Already in this order where nothing was dropped: each segment's results follow one another.
  const inOrder = [...results].sort((a, b) =>
    a.segment < b.segment ? -1 : a.segment > b.segment ? 1 : a.offset - b.offset,
  );
  for (const { segment, batchNo, kind, offset, length } of inOrder) {
    const last = extents.at(-1);
    const isNext =
      last?.segment === segment &&
      last.batchNo === batchNo &&
      last.kind === kind &&
      last.offset + last.length === offset;
    if (isNext) {
      last.length += length;
      last.lines += 1;
    } else {
      extents.push({ batchNo, kind, segment, offset, length, lines: 1 });
    }
  }
  return extents;
}

/** Notes where the lines that this flush brought lie. `segments` are numbers by key, `progress` is that of `lockProgress`. */
export async function insertExtents(
  tx: Tx,
  segments: ReadonlyMap<string, number>,
  results: readonly LineResult[],
  progress: ReadonlyMap<number, ProgressRow>,
): Promise<void> {
  const extents = toExtents(results);
  await tx.query(
    `/* ledger.insert_extents */
    insert into extents (batch_no, seq, kind, segment, segment_offset, length, lines)
    select batch_no, seq, kind, segment, segment_offset, length, lines
    from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::int[], $6::int[], $7::int[])
      as v (segment, batch_no, seq, kind, segment_offset, length, lines)`,
    [
      extents.map((e) => segments.get(e.segment)),
      extents.map((e) => e.batchNo),
      extents.map((e) => progress.get(e.batchNo)?.seq),
      extents.map((e) => e.kind),
      extents.map((e) => e.offset),
      extents.map((e) => e.length),
      extents.map((e) => e.lines),
    ],
  );
}

const COUNTED = ["inputTokens", "outputTokens", "totalTokens", "cachedTokens", "reasoningTokens"] as const;

/** Adds to counts and usage, and moves `seq` on, for each batch that has new results. */
export async function addProgress(
  tx: Tx,
  results: readonly LineResult[],
  progress: ReadonlyMap<number, ProgressRow>,
): Promise<void> {
  const sums = new Map<number, { completed: number; failed: number; tokens: number[] }>();
  for (const result of results) {
    const sum = sums.get(result.batchNo) ?? { completed: 0, failed: 0, tokens: COUNTED.map(() => 0) };
    sums.set(result.batchNo, sum);
    if (result.kind === "output") sum.completed += 1;
    else sum.failed += 1;
    const { usage } = result;
    if (usage) sum.tokens = sum.tokens.map((tokens, i) => tokens + usage[COUNTED[i] ?? "totalTokens"]);
  }
  const batches = [...sums.keys()].sort((a, b) => a - b);
  await tx.query(
    `/* ledger.add_progress */
    update batch_progress p set seq = p.seq + 1, completed = p.completed + v.completed, failed = p.failed + v.failed,
      input_tokens = p.input_tokens + v.input_tokens, output_tokens = p.output_tokens + v.output_tokens,
      total_tokens = p.total_tokens + v.total_tokens, cached_tokens = p.cached_tokens + v.cached_tokens,
      reasoning_tokens = p.reasoning_tokens + v.reasoning_tokens
    from unnest($1::bigint[], $2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
      as v (batch_no, completed, failed, input_tokens, output_tokens, total_tokens, cached_tokens, reasoning_tokens)
    where p.batch_no = v.batch_no`,
    [
      batches,
      batches.map((batchNo) => sums.get(batchNo)?.completed),
      batches.map((batchNo) => sums.get(batchNo)?.failed),
      ...COUNTED.map((_, i) => batches.map((batchNo) => sums.get(batchNo)?.tokens[i])),
    ],
  );
  for (const batchNo of batches) {
    const row = progress.get(batchNo);
    const sum = sums.get(batchNo);
    if (row === undefined || sum === undefined) continue;
    row.completed += sum.completed;
    row.failed += sum.failed;
  }
}
