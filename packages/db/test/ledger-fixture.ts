/** Running batches for tests of the ledger, and the workers' side of it in as few words as possible. No bytes anywhere. */
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

/** The clock that is passed to SQL; leases use the database's own. */
export const now = new Date("2026-08-19T12:00:00.250Z");
export const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);

/** Every line of a test's input has so many bytes, its line break included. */
const LINE_BYTES = 100;

/** A tenant of its own for each caller, unless it is named. */
export async function newTenant(db: Db, tenant = `tenant-${randomUUID()}`, weight = 1): Promise<string> {
  await db.query("insert into tenants (id, weight) values ($1, $2)", [tenant, weight]);
  return tenant;
}

/** A batch in the state validating. */
export async function newBatch(db: Db, change: Partial<NewBatch> = {}): Promise<BatchView> {
  const tenant = change.tenant ?? (await newTenant(db));
  return insertBatch(db, batchOf({ createdAt: now, ...change, tenant }));
}

/** An upstream of its own for each caller. */
export async function newUpstream(db: Db, concurrency = 100): Promise<string> {
  const name = `up-${randomUUID()}`;
  await declareUpstream(db, { name, concurrency, requestsPerMinute: null, sliceLines: null });
  return name;
}

/** A batch in progress with `total` lines, none of them handed out. */
export async function runningBatch(
  db: Db,
  { total, upstream, ...change }: Partial<NewBatch> & { total: number; upstream?: string },
): Promise<BatchView & { upstream: string }> {
  const batch = await newBatch(db, change);
  const to = upstream ?? (await newUpstream(db));
  await startBatch(db, batch, total, to);
  return { ...(await viewOf(db, batch.batchNo)), upstream: to };
}

/** validating → in_progress, as validation does it. */
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

/** Hands out the next lines of one batch, as slices of these sizes. */
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

/** Slices of these sizes, from `firstLine` on. */
export function cutSlices(batchNo: number, firstLine: number, sizes: readonly number[]): NewSlice[] {
  let next = firstLine;
  return sizes.map((lineCount) => {
    const slice = { batchNo, firstLine: next, lineCount, ...bytesOf(next, lineCount) };
    next += lineCount;
    return slice;
  });
}

/** Where a run of lines lies in the input. */
export function bytesOf(firstLine: number, lineCount: number): { byteOffset: number; byteLength: number } {
  return { byteOffset: firstLine * LINE_BYTES, byteLength: lineCount * LINE_BYTES - 1 };
}

/** A registered worker. */
export async function newWorker(db: Db): Promise<string> {
  const id = `w-${randomUUID()}`;
  await registerWorker(db, { id, host: "test", pid: 1 });
  return id;
}

/** Claims one slice; null where its job is stale. */
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

/** What a test says of a line that came back; the rest is filled in. */
export interface Came extends Partial<Omit<LineResult, "segment" | "offset" | "length">> {
  readonly batchNo: number;
  readonly line: number;
}

/** One flush with a segment of its own, each result 10 bytes long. */
export function flushOf(results: readonly Came[], returns: readonly SliceReturn[] = []): Flush {
  const segment = { key: `segments/${randomUUID()}`, bytes: results.length * 10 };
  return {
    segments: results.length === 0 ? [] : [segment],
    results: results.map((result, i) => ({
      // None: the ledger has to look for the slice that holds the line.
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

/** Lines of a slice that go back together, without a burned attempt. */
export function unsent(slice: ClaimedSlice, lines: readonly number[], delayMs = 0): SliceReturn {
  const { batchNo, owner, sliceNo, gen, firstLine, lineCount, byteOffset, byteLength, attempt } = slice;
  return { batchNo, owner, sliceNo, gen, lines, firstLine, lineCount, byteOffset, byteLength, attempt, delayMs };
}

/** A line that burned an attempt. */
export function retried(slice: ClaimedSlice, line: number, delayMs = 0): SliceReturn {
  const { batchNo, owner, sliceNo, gen, attempt } = slice;
  const place = { firstLine: line, lineCount: 1, ...bytesOf(line, 1) };
  return { batchNo, owner, sliceNo, gen, lines: [line], ...place, attempt: attempt + 1, delayMs };
}

/** Asks for one line again, and says what came of it in a word. */
export async function retryLine(db: Db, batchNo: number, line: number, askedBy = "an admin"): Promise<string> {
  const outcome = await openRetries(db, { batchNo, lines: [{ line, ...bytesOf(line, 1) }], askedBy }, now);
  if (outcome.outcome !== "opened") return outcome.outcome;
  return outcome.lines.length === 1 ? "opened" : "not_failed";
}

/** Asks for one line again and claims its slice for a worker. */
export async function claimedRetry(db: Db, batchNo: number, line: number): Promise<ClaimedSlice> {
  const outcome = await openRetries(db, { batchNo, lines: [{ line, ...bytesOf(line, 1) }], askedBy: "an admin" }, now);
  const slice = outcome.outcome === "opened" ? outcome.slices[0] : undefined;
  const claimed = slice && (await claimSlice(db, await newWorker(db), slice, now));
  if (!claimed) throw new Error(`the retry of line ${String(line)} was not opened`);
  return claimed;
}

/** The lines whose bits are set, by number. */
export function linesIn(todo: bigint, firstLine: number): number[] {
  return Array.from({ length: 64 }, (_, i) => i)
    .filter((i) => (todo & (1n << BigInt(i))) !== 0n)
    .map((i) => firstLine + i);
}
