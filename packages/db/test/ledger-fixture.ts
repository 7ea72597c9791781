/** Fixtures: running batches, slices, workers and flushes, without objects. */
import { randomUUID } from "node:crypto";
import { newBatch as batchOf } from "@nightshift/testing";
import {
  type BatchView,
  claimSlices,
  type ClaimedSlice,
  insertBatch,
  type Db,
  declareUpstream,
  ensureLinePartition,
  feedUpstream,
  type Flush,
  getBatch,
  insertBlob,
  type LineResult,
  moveBatch,
  openRetries,
  type NewBatch,
  type NewSlice,
  recordFlush,
  type Recorded,
  registerWorker,
  type SliceRef,
  type SliceReturn,
  type WaitingSlice,
} from "../src/index.ts";

/** The time that tests pass to SQL. Leases use the database's clock. */
export const now = new Date("2026-08-19T12:00:00.250Z");
export const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);

/** The size of each line of the input, including the line break. */
const LINE_BYTES = 100;

/** Inserts a tenant, by default a new one for each call. */
export async function newTenant(db: Db, tenant = `tenant-${randomUUID()}`, weight = 1): Promise<string> {
  await db.query("insert into tenants (id, weight) values ($1, $2)", [tenant, weight]);
  return tenant;
}

/** A batch in `validating`. */
export async function newBatch(db: Db, change: Partial<NewBatch> = {}): Promise<BatchView> {
  const tenant = change.tenant ?? (await newTenant(db));
  return insertBatch(db, batchOf({ createdAt: now, ...change, tenant }));
}

/** Declares a new upstream for each call. */
export async function newUpstream(db: Db, concurrency = 100): Promise<string> {
  const name = `up-${randomUUID()}`;
  await declareUpstream(db, { name, concurrency, requestsPerMinute: null, sliceLines: null });
  return name;
}

/** A batch in progress with `total` lines. None of them is in a slice. */
export async function runningBatch(
  db: Db,
  { total, upstream, ...change }: Partial<NewBatch> & { total: number; upstream?: string },
): Promise<BatchView & { upstream: string }> {
  const batch = await newBatch(db, change);
  const to = upstream ?? (await newUpstream(db));
  await startBatch(db, batch, total, to);
  return { ...(await viewOf(db, batch.batchNo)), upstream: to };
}

/** Moves a batch from `validating` to `in_progress`, as validation does. */
export async function startBatch(db: Db, batch: BatchView, total: number, upstream: string): Promise<boolean> {
  await ensureLinePartition(db, batch.day);
  const blobs = { inputBlob: `inputs/${batch.id}`, indexBlob: `indexes/${batch.id}` };
  for (const key of Object.values(blobs)) await insertBlob(db, { key, bytes: 1, etag: "e" });
  return moveBatch(
    db,
    batch.batchNo,
    { to: "in_progress", upstream, model: "small", ...blobs, total, firstByte: 0 },
    now,
  );
}

export async function viewOf(db: Db, batchNo: number): Promise<BatchView> {
  const view = await getBatch(db, batchNo);
  if (view === null) throw new Error(`there is no batch ${String(batchNo)}`);
  return view;
}

/** Feeds slices of these sizes from one batch. */
export async function feedSlices(
  db: Db,
  batch: { batchNo: number; upstream: string },
  sizes: readonly number[],
): Promise<WaitingSlice[]> {
  return feedUpstream(db, batch.upstream, now, (state) => {
    const candidate = state.candidates.find((c) => c.batchNo === batch.batchNo);
    return Promise.resolve(candidate === undefined ? [] : cutSlices(batch.batchNo, candidate.fedLines, sizes));
  });
}

/** Plans slices of these sizes, from `firstLine` on. */
export function cutSlices(batchNo: number, firstLine: number, sizes: readonly number[]): NewSlice[] {
  let next = firstLine;
  return sizes.map((lineCount) => {
    const slice = { batchNo, firstLine: next, lineCount, ...bytesOf(next, lineCount) };
    next += lineCount;
    return slice;
  });
}

/** The bytes of a run of lines in the input. */
export function bytesOf(firstLine: number, lineCount: number): { byteOffset: number; byteLength: number } {
  return { byteOffset: firstLine * LINE_BYTES, byteLength: lineCount * LINE_BYTES - 1 };
}

/** A registered worker. */
export async function newWorker(db: Db): Promise<string> {
  const id = `w-${randomUUID()}`;
  await registerWorker(db, { id, host: "test", pid: 1 });
  return id;
}

/** Claims one slice. Null if its job is stale. */
export async function claimSlice(db: Db, worker: string, slice: SliceRef, at: Date): Promise<ClaimedSlice | null> {
  return (await claimSlices(db, worker, [slice], at))[0] ?? null;
}

/** Feeds one slice and claims it for a worker. */
export async function claimedSlice(
  db: Db,
  batch: { batchNo: number; upstream: string },
  lines: number,
  worker?: string,
): Promise<ClaimedSlice> {
  const [slice] = await feedSlices(db, batch, [lines]);
  const claimed = slice && (await claimSlice(db, worker ?? (await newWorker(db)), slice, now));
  if (!claimed) throw new Error(`no slice of batch ${String(batch.batchNo)} could be claimed`);
  return claimed;
}

/** The fields of a result that a test sets. `flushOf` fills in the rest. */
export interface Came extends Partial<Omit<LineResult, "segment" | "offset" | "length">> {
  readonly batchNo: number;
  readonly line: number;
}

/** A flush with one segment, in which each result has 10 bytes. */
export function flushOf(results: readonly Came[], returns: readonly SliceReturn[] = []): Flush {
  const segment = { key: `segments/${randomUUID()}`, bytes: results.length * 10 };
  return {
    segments: results.length === 0 ? [] : [segment],
    results: results.map((result, i) => ({
      // Unknown: the ledger has to search for the slice that holds the line.
      sliceNo: 0,
      requestGen: 0,
      resultKind: "output",
      isExhausted: false,
      usage: null,
      ...result,
      segment: segment.key,
      offset: i * 10,
      length: 10,
    })),
    returns,
  };
}

/** Records lines of one batch as done. */
export async function recordLines(
  db: Db,
  batchNo: number,
  lines: readonly number[],
  change: Partial<Came> = {},
): Promise<Recorded> {
  return recordFlush(db, flushOf(lines.map((line) => ({ batchNo, line, ...change }))), now);
}

/** Returns unsent lines of a slice together. No attempt counts. */
export function unsent(slice: ClaimedSlice, lines: readonly number[], delayMs = 0): SliceReturn {
  const { batchNo, owner, sliceNo, gen, firstLine, lineCount, byteOffset, byteLength, attempt } = slice;
  return { batchNo, owner, sliceNo, gen, lines, firstLine, lineCount, byteOffset, byteLength, attempt, delayMs };
}

/** Returns one line whose attempt failed. */
export function retried(slice: ClaimedSlice, line: number, delayMs = 0): SliceReturn {
  const { batchNo, owner, sliceNo, gen, attempt } = slice;
  const place = { firstLine: line, lineCount: 1, ...bytesOf(line, 1) };
  return { batchNo, owner, sliceNo, gen, lines: [line], ...place, attempt: attempt + 1, delayMs };
}

/** Opens a retry of one line and returns the outcome in a word. */
export async function retryLine(db: Db, batchNo: number, line: number, askedBy = "an admin"): Promise<string> {
  const outcome = await openRetries(db, { batchNo, lines: [{ line, ...bytesOf(line, 1) }], askedBy }, now);
  if (outcome.outcome !== "opened") return outcome.outcome;
  return outcome.lines.length === 1 ? "opened" : "not_failed";
}

/** Opens a retry of one line and claims its slice for a new worker. */
export async function claimedRetry(db: Db, batchNo: number, line: number): Promise<ClaimedSlice> {
  const outcome = await openRetries(db, { batchNo, lines: [{ line, ...bytesOf(line, 1) }], askedBy: "an admin" }, now);
  const slice = outcome.outcome === "opened" ? outcome.slices[0] : undefined;
  const claimed = slice && (await claimSlice(db, await newWorker(db), slice, now));
  if (!claimed) throw new Error(`the retry of line ${String(line)} was not opened`);
  return claimed;
}

/** The numbers of the lines whose bits are set. */
export function linesIn(todo: bigint, firstLine: number): number[] {
  return Array.from({ length: 64 }, (_, i) => i)
    .filter((i) => (todo & (1n << BigInt(i))) !== 0n)
    .map((i) => firstLine + i);
}
