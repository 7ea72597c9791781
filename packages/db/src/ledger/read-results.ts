/**
 * Reads where the results of a batch are: by line for the assembler, by commit for readers that poll for new results.
 */
import type { ResultKind } from "@nightshift/domain";
import type { Queryable } from "../pool.ts";

export interface StoredLine {
  readonly line: number;
  readonly key: string;
  readonly offset: number;
  readonly length: number;
}

export interface StoredExtent {
  readonly key: string;
  readonly offset: number;
  readonly length: number;
}

/** Returns the index rows of one kind, ordered by their place in the segments. A batch has at most 50,000 of them. */
export async function storedLines(
  db: Queryable,
  batch: { batchNo: number; day: number },
  resultKind: ResultKind,
): Promise<StoredLine[]> {
  const { rows } = await db.query<StoredLine>(
    `/* results.lines */
    select l.line, s.key, l.segment_offset as offset, l.length
    from lines l join segments s on s.id = l.segment
    where l.day = $1 and l.batch_no = $2 and l.failed = $3 order by l.segment, l.segment_offset`,
    [batch.day, batch.batchNo, resultKind === "error"],
  );
  return rows;
}

/** Returns the extents of a batch's output lines, in commit order. */
export async function outputExtents(db: Queryable, batchNo: number): Promise<StoredExtent[]> {
  const { rows } = await db.query<StoredExtent>(
    `/* results.extents */
    select s.key, e.segment_offset as offset, e.length
    from extents e join segments s on s.id = e.segment
    where e.batch_no = $1 and e.result_kind = 'output' order by e.seq, e.segment, e.segment_offset`,
    [batchNo],
  );
  return rows;
}

/** Returns the lines that succeeded, in ascending order. */
export async function outputLines(db: Queryable, batch: { batchNo: number; day: number }): Promise<number[]> {
  const { rows } = await db.query<{ line: number }>(
    "/* results.output_lines */ select line from lines where day = $1 and batch_no = $2 and not failed order by line",
    [batch.day, batch.batchNo],
  );
  return rows.map((row) => row.line);
}

/** Returns the lines that have a result, in ascending order. All other lines of a sealed batch are unfinished. */
export async function finishedLines(db: Queryable, batch: { batchNo: number; day: number }): Promise<number[]> {
  const { rows } = await db.query<{ line: number }>(
    "/* results.finished */ select line from lines where day = $1 and batch_no = $2 order by line",
    [batch.day, batch.batchNo],
  );
  return rows.map((row) => row.line);
}

/** A run of output or error lines. Each line ends with a line break. */
export interface ResultExtent {
  readonly seq: number;
  readonly key: string;
  readonly offset: number;
  readonly length: number;
  readonly lines: number;
}

const extentsOf = (kind: ResultKind): string => `
  (select seq, segment, segment_offset, length, lines from extents
  where batch_no = $1 and result_kind = '${kind}' and seq >= $2 order by seq, segment, segment_offset limit $3)`;

/**
 * Returns the first `limit` extents from `seq` on, in commit order. `seq` is assigned under the lock of the batch's
 * progress, so no extent is ever added before an extent that a reader has seen. A result that a retry replaced stays,
 * and its replacement has a later `seq`. Returns an empty list once maintenance has deleted the batch's segments.
 */
export async function resultExtents(
  db: Queryable,
  batchNo: number,
  seq: number,
  limit: number,
): Promise<ResultExtent[]> {
  const { rows } = await db.query<ResultExtent>(
    `/* results.log */
    select e.seq, s.key, e.segment_offset as offset, e.length, e.lines
    from (${extentsOf("output")} union all ${extentsOf("error")}) e join segments s on s.id = e.segment
    order by e.seq, e.segment, e.segment_offset limit $3`,
    [batchNo, seq, limit],
  );
  return rows;
}
