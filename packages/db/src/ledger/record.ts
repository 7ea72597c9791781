/**
 * Records results in the ledger. One transaction for each flush moves its lines from their slices to the line index, or
 * to new slices if they need another attempt. After an ambiguous commit the caller repeats the call.
 */
import type { Db, Tx } from "../pool.ts";
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
import { answerRetries, closeRetries, fullyAnswered } from "./record-retries.ts";
import { moveBits } from "./record-slices.ts";
import { sealBatch } from "./seal.ts";

/**
 * Commits a flush whose segment objects are durable. Locks batch_progress, slices, lines and batches, in this order.
 */
export async function recordFlush(db: Db, flush: Flush, now: Date): Promise<Recorded> {
  return withTx(db, async (tx) => {
    const progress = await lockProgress(tx, batchesOf(flush));
    const isOpen = (batchNo: number): boolean => progress.get(batchNo)?.isSealed === false;
    const hasRetries = (batchNo: number): boolean => (progress.get(batchNo)?.retryCount ?? 0) > 0;
    const answered = await recordRetries(
      tx,
      flush,
      flush.results.filter((r) => !isOpen(r.batchNo) && hasRetries(r.batchNo)),
      now,
    );
    const candidates = await withoutOutdated(
      tx,
      flush.results.filter((r) => isOpen(r.batchNo)),
      progress,
    );
    const slices = await moveBits(
      tx,
      [...candidates, ...answered],
      // A sealed batch has no slices except the slices of its retries.
      flush.returns.filter((r) => isOpen(r.batchNo) || hasRetries(r.batchNo)),
    );
    const results = await recordResults(tx, flush, candidates, progress);
    const ofRetries = results.filter((r) => hasRetries(r.batchNo));
    if (ofRetries.length > 0) await closeRetries(tx, ofRetries, now);
    const sealed: number[] = [];
    for (const [batchNo, row] of progress) {
      if (!row.isSealed && row.completed + row.failed === row.total && (await sealBatch(tx, batchNo, "done", now))) {
        sealed.push(batchNo);
      }
    }
    const retried = answered.length === 0 ? [] : await fullyAnswered(tx, [...new Set(answered.map((r) => r.batchNo))]);
    return { results: [...results, ...answered], slices, retried, sealed };
  });
}

function batchesOf(flush: Flush): number[] {
  const batches = new Set([...flush.results, ...flush.returns].map((entry) => entry.batchNo));
  return [...batches].sort((a, b) => a - b);
}

/** Keeps the results of retries of sealed batches. They do not change the batch until they are published. */
async function recordRetries(tx: Tx, flush: Flush, results: readonly LineResult[], now: Date): Promise<LineResult[]> {
  if (results.length === 0) return [];
  return answerRetries(tx, await insertSegments(tx, flush.segments), results, now);
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

/** Drops results of requests that a retry has replaced: only the newest `request_gen` counts. */
async function withoutOutdated(
  tx: Tx,
  results: readonly LineResult[],
  progress: ReadonlyMap<number, ProgressRow>,
): Promise<LineResult[]> {
  const retried = results.filter((r) => (progress.get(r.batchNo)?.retryCount ?? 0) > 0);
  if (retried.length === 0) return [...results];
  const { rows } = await tx.query<{ batchNo: number; line: number; gen: number }>(
    `/* ledger.newest_retries */
    select batch_no as "batchNo", line, max(request_gen) as gen from retries
    where (batch_no, line) in (select * from unnest($1::bigint[], $2::int[])) group by batch_no, line`,
    [retried.map((r) => r.batchNo), retried.map((r) => r.line)],
  );
  const newest = new Map(rows.map((row) => [`${String(row.batchNo)} ${String(row.line)}`, row.gen]));
  return results.filter((r) => r.requestGen >= (newest.get(`${String(r.batchNo)} ${String(r.line)}`) ?? 0));
}
