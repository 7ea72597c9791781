/**
 * The result log of one batch as a reader follows it: extents in the order of their commit. `seq` is taken under the lock of
 * the batch's progress, so whoever has seen one has seen all before it, and nothing is ever added behind a reader.
 */
import type { Queryable } from "../pool.ts";

/** A run of results, output or error lines, each ended by a line break. */
export interface ResultExtent {
  readonly seq: number;
  readonly key: string;
  readonly offset: number;
  readonly length: number;
  readonly lines: number;
}

const ofKind = (kind: "output" | "error"): string => `
  (select seq, segment, segment_offset, length, lines from extents
  where batch_no = $1 and kind = '${kind}' and seq >= $2 order by seq, segment, segment_offset limit $3)`;

/**
 * The first `limit` extents from `seq` on. A result that was replaced because its line was asked for again is still there; what
 * replaced it has a later `seq`. None where maintenance has swept the batch's segments.
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
    from (${ofKind("output")} union all ${ofKind("error")}) e join segments s on s.id = e.segment
    order by e.seq, e.segment, e.segment_offset limit $3`,
    [batchNo, seq, limit],
  );
  return rows;
}
