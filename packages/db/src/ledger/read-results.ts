/** What an assembler reads of a sealed batch: where its results lie. */
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

/** The index rows of one kind, ordered by their place in the segments. At most the batch's total: 50,000. */
export async function storedLines(
  db: Queryable,
  batch: { batchNo: number; day: number },
  failed: boolean,
): Promise<StoredLine[]> {
  const { rows } = await db.query<StoredLine>(
    `/* results.lines */
    select l.line, s.key, l.segment_offset as offset, l.length
    from lines l join segments s on s.id = l.segment
    where l.day = $1 and l.batch_no = $2 and l.failed = $3 order by l.segment, l.segment_offset`,
    [batch.day, batch.batchNo, failed],
  );
  return rows;
}

/** The extents of a batch's output, in the order of their commit. */
export async function outputExtents(db: Queryable, batchNo: number): Promise<StoredExtent[]> {
  const { rows } = await db.query<StoredExtent>(
    `/* results.extents */
    select s.key, e.segment_offset as offset, e.length
    from extents e join segments s on s.id = e.segment
    where e.batch_no = $1 and e.kind = 'output' order by e.seq, e.segment, e.segment_offset`,
    [batchNo],
  );
  return rows;
}

/** The lines that succeeded, in their order. */
export async function outputLines(db: Queryable, batch: { batchNo: number; day: number }): Promise<number[]> {
  const { rows } = await db.query<{ line: number }>(
    "/* results.output_lines */ select line from lines where day = $1 and batch_no = $2 and not failed order by line",
    [batch.day, batch.batchNo],
  );
  return rows.map((row) => row.line);
}

/** The lines that have a result, in their order: all others of a sealed batch were never finished. */
export async function finishedLines(db: Queryable, batch: { batchNo: number; day: number }): Promise<number[]> {
  const { rows } = await db.query<{ line: number }>(
    "/* results.finished */ select line from lines where day = $1 and batch_no = $2 order by line",
    [batch.day, batch.batchNo],
  );
  return rows.map((row) => row.line);
}
