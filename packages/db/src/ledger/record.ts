/**
 * Makes results durable in the ledger: one transaction for each flush moves its lines from their slices to the line index,
 * or to new slices where they are to be tried again. What it returns happened; an ambiguous commit is simply repeated.
 */
import type { Db, Tx } from "../pool.ts";
import { answerMends, closeMends, fullyAnswered } from "../mends/answer-mends.ts";
import { withTx } from "../tx.ts";
import type { Flush, LineResult, Recorded } from "./flush.ts";
import {
  addProgress,
  insertExtents,
  insertIndexRows,
  insertSegments,
  lockProgress,
  type ProgressRow,
} from "./record-results.ts";
import { moveBits } from "./record-slices.ts";
import { sealBatch } from "./seal.ts";

/** Commits a flush whose segment objects are durable. Takes its locks in the order batch_progress, slices, lines, batches. */
export async function recordFlush(db: Db, flush: Flush, now: Date): Promise<Recorded> {
  return withTx(db, async (tx) => {
    const progress = await lockProgress(tx, batchesOf(flush));
    const open = (batch: number): boolean => progress.get(batch)?.isSealed === false;
    const hasMends = (batch: number): boolean => (progress.get(batch)?.mends ?? 0) > 0;
    const answered = await recordMends(
      tx,
      flush,
      flush.results.filter((r) => !open(r.batch) && hasMends(r.batch)),
      now,
    );
    const candidates = await withoutOutdated(
      tx,
      flush.results.filter((r) => open(r.batch)),
      progress,
    );
    const slices = await moveBits(
      tx,
      [...candidates, ...answered],
      // Of a sealed batch only slices of mends are left to return to.
      flush.returns.filter((r) => open(r.batch) || hasMends(r.batch)),
    );
    const results = await recordResults(tx, flush, candidates, progress);
    const ofMends = results.filter((r) => hasMends(r.batch));
    if (ofMends.length > 0) await closeMends(tx, ofMends, now);
    const sealed: number[] = [];
    for (const [batch, row] of progress) {
      if (!row.isSealed && row.completed + row.failed === row.total && (await sealBatch(tx, batch, "done", now))) {
        sealed.push(batch);
      }
    }
    const mended = answered.length === 0 ? [] : await fullyAnswered(tx, [...new Set(answered.map((r) => r.batch))]);
    return { results: [...results, ...answered], slices, mended, sealed };
  });
}

function batchesOf(flush: Flush): number[] {
  const batches = new Set([...flush.results, ...flush.returns].map((entry) => entry.batch));
  return [...batches].sort((a, b) => a - b);
}

/** Of sealed batches only what somebody asked for is kept; it changes nothing of the batch before it is published. */
async function recordMends(tx: Tx, flush: Flush, results: readonly LineResult[], now: Date): Promise<LineResult[]> {
  if (results.length === 0) return [];
  return answerMends(tx, await insertSegments(tx, flush.segments), results, now);
}

async function recordResults(
  tx: Tx,
  flush: Flush,
  candidates: readonly LineResult[],
  progress: Map<number, ProgressRow>,
): Promise<LineResult[]> {
  if (candidates.length === 0) return [];
  const segments = await insertSegments(tx, flush.segments);
  const results = await insertIndexRows(tx, segments, candidates, progress);
  await insertExtents(tx, segments, results, progress);
  await addProgress(tx, results, progress);
  return results;
}

/** Drops results of a request that was asked for again meanwhile: only the newest `request_gen` counts. */
async function withoutOutdated(
  tx: Tx,
  results: readonly LineResult[],
  progress: ReadonlyMap<number, ProgressRow>,
): Promise<LineResult[]> {
  const mended = results.filter((r) => (progress.get(r.batch)?.mends ?? 0) > 0);
  if (mended.length === 0) return [...results];
  const { rows } = await tx.query<{ batch: number; line: number; gen: number }>(
    `/* ledger.newest_mends */
    select batch, line, max(request_gen) as gen from mends
    where (batch, line) in (select * from unnest($1::bigint[], $2::int[])) group by batch, line`,
    [mended.map((r) => r.batch), mended.map((r) => r.line)],
  );
  const newest = new Map(rows.map((row) => [`${String(row.batch)} ${String(row.line)}`, row.gen]));
  return results.filter((r) => r.requestGen >= (newest.get(`${String(r.batch)} ${String(r.line)}`) ?? 0));
}
