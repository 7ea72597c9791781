/**
 * Makes results durable in the ledger: one transaction for each flush moves its lines from their slices to the line index,
 * or to new slices where they are to be tried again. What it returns happened; an ambiguous commit is simply repeated.
 */
import type { Db, Tx } from "../pool.ts";
import { withTx } from "../tx.ts";
import { addProgress, insertExtents, insertIndexRows, lockProgress, type ProgressRow } from "./record-results.ts";
import { moveBits } from "./record-slices.ts";
import { sealBatch } from "./seal.ts";
import type { WaitingSlice } from "./slice-row.ts";
import type { TokenUsage } from "../batches/batch-view.ts";

/** A finished line and where its result lies in the flush's segment. */
export interface LineResult {
  readonly batch: number;
  readonly line: number;
  readonly requestGen: number;
  readonly kind: "output" | "error";
  readonly offset: number;
  readonly length: number;
  /** Failed because its attempts ran out. */
  readonly isExhausted: boolean;
  readonly usage: TokenUsage | null;
}

/** Lines of one slice that go to a new slice: one that burned an attempt, or those that were never sent. */
export interface SliceReturn {
  readonly batch: number;
  /** The slice that they leave; it must still be this owner's, with this `gen`, or the return is dropped. */
  readonly owner: string;
  readonly sliceNo: number;
  readonly gen: number;
  readonly lines: readonly number[];
  /** Where the new slice begins and ends; it covers `lines`. */
  readonly firstLine: number;
  readonly lineCount: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly attempt: number;
  /** From now, by the database's clock. */
  readonly delayMs: number;
}

export interface Flush {
  readonly segment: { readonly key: string; readonly bytes: number } | null;
  readonly results: readonly LineResult[];
  readonly returns: readonly SliceReturn[];
}

export interface Recorded {
  /** The results that this flush brought; the others had a result already, or their batch is sealed. */
  readonly results: readonly LineResult[];
  /** New slices, to be enqueued when their delay is over. */
  readonly slices: readonly WaitingSlice[];
  /** Batches that this flush completed. */
  readonly sealed: readonly number[];
}

/** Commits a flush whose segment object is durable. Takes its locks in the order batch_progress, slices, lines, batches. */
export async function recordFlush(db: Db, flush: Flush, now: Date): Promise<Recorded> {
  return withTx(db, async (tx) => {
    const progress = await lockProgress(tx, batchesOf(flush));
    const open = (batch: number): boolean => progress.get(batch)?.isSealed === false;
    const candidates = await withoutOutdated(
      tx,
      flush.results.filter((r) => open(r.batch)),
      progress,
    );
    const slices = await moveBits(
      tx,
      candidates,
      flush.returns.filter((r) => open(r.batch)),
    );
    const results = await recordResults(tx, flush, candidates, progress);
    const sealed: number[] = [];
    for (const [batch, row] of progress) {
      if (!row.isSealed && row.completed + row.failed === row.total && (await sealBatch(tx, batch, "done", now))) {
        sealed.push(batch);
      }
    }
    return { results, slices, sealed };
  });
}

function batchesOf(flush: Flush): number[] {
  const batches = new Set([...flush.results, ...flush.returns].map((entry) => entry.batch));
  return [...batches].sort((a, b) => a - b);
}

async function recordResults(
  tx: Tx,
  flush: Flush,
  candidates: readonly LineResult[],
  progress: Map<number, ProgressRow>,
): Promise<LineResult[]> {
  if (flush.segment === null || candidates.length === 0) return [];
  const { rows } = await tx.query<{ id: number }>(
    // A flush whose commit was ambiguous comes again with the same key.
    `/* ledger.insert_segment */
    insert into segments (key, bytes) values ($1, $2) on conflict (key) do update set bytes = excluded.bytes returning id`,
    [flush.segment.key, flush.segment.bytes],
  );
  const segment = rows[0]?.id ?? 0;
  const results = await insertIndexRows(tx, segment, candidates, progress);
  await insertExtents(tx, segment, results, progress);
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
