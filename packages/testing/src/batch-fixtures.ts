/**
 * Creates batches in every state for tests of the database and the worker: validating, running, claimed, finished,
 * retried. The batches exist in Postgres only. The objects that they name are not stored, unless a test stores them.
 */
import { randomUUID } from "node:crypto";
import {
  answeredRetries,
  type BatchView,
  claimSlices,
  type ClaimedSlice,
  type Db,
  declareUpstream,
  ensureLinePartition,
  feedUpstream,
  finishBatch,
  type Flush,
  getBatch,
  type HistoryEntry,
  insertBatch,
  insertBlob,
  insertFile,
  type LineResult,
  listBatchHistory,
  moveBatch,
  type NewBatch,
  type NewSlice,
  openRetries,
  type Publication,
  publishRetries,
  recordFlush,
  type Recorded,
  registerWorker,
  type SliceRef,
  type SliceReturn,
  type WaitingSlice,
} from "@nightshift/db";

const DAY_MS = 86_400_000;

/** The time that tests pass to SQL. Leases use the database's own clock. */
export const now = new Date("2026-08-19T12:00:00.250Z");
export const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);

/** The length of each line of an input, with its line break. */
const LINE_BYTES = 100;

/** Inserts a tenant, with a random id unless the test names one. */
export async function newTenant(db: Db, tenant = `tenant-${randomUUID()}`, weight = 1): Promise<string> {
  await db.query("insert into tenants (id, weight) values ($1, $2)", [tenant, weight]);
  return tenant;
}

/** The fields of a new batch. The defaults are a random id, a window of a day, and an input file that does not exist. */
export function batchFields(change: Partial<NewBatch> & Pick<NewBatch, "tenant" | "createdAt">): NewBatch {
  return {
    id: `batch_${randomUUID().replaceAll("-", "")}`,
    endpoint: "/v1/chat/completions",
    completionWindow: "24h",
    inputFileId: "file-1",
    metadata: null,
    outputExpiresAfterSeconds: null,
    deadline: new Date(change.createdAt.getTime() + DAY_MS),
    ...change,
  };
}

/** Inserts a batch, which is in `validating`. */
export async function newBatch(db: Db, change: Partial<NewBatch> = {}): Promise<BatchView> {
  const tenant = change.tenant ?? (await newTenant(db));
  return insertBatch(db, batchFields({ createdAt: now, ...change, tenant }));
}

/** The object that holds an input file, and the times of the file. */
export interface InputFile {
  readonly tenant: string;
  readonly blob: { readonly key: string; readonly bytes: number; readonly etag: string };
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
}

/** Inserts an input file and its blob, and returns the file's id. */
export async function newInputFile(db: Db, { tenant, blob, createdAt, expiresAt }: InputFile): Promise<string> {
  await insertBlob(db, blob);
  const file = fileFields(tenant, "batch", blob.key, blob.bytes);
  await insertFile(db, { ...file, createdAt, expiresAt });
  return file.id;
}

const fileFields = (tenant: string, purpose: string, blob: string, bytes = 1) => ({
  id: `file-${randomUUID()}`,
  tenant,
  purpose,
  filename: "lines.jsonl",
  bytes,
  blob,
  createdAt: now,
  expiresAt: null,
});

/** Declares an upstream with a random name. */
export async function newUpstream(db: Db, concurrency = 100, sliceLines: number | null = null): Promise<string> {
  const name = `up-${randomUUID()}`;
  await declareUpstream(db, { name, concurrency, requestsPerMinute: null, sliceLines });
  return name;
}

/** Inserts a batch in progress with `total` lines, none of which is in a slice. */
export async function runningBatch(
  db: Db,
  { total, upstream, ...change }: Partial<NewBatch> & { total: number; upstream?: string },
): Promise<FinishedBatch> {
  const batch = await newBatch(db, change);
  const to = upstream ?? (await newUpstream(db));
  await startBatch(db, batch, total, to);
  return { ...(await viewOf(db, batch.batchNo)), upstream: to };
}

/** Moves a batch from `validating` to `in_progress`, as validation does. */
export async function startBatch(
  db: Db,
  batch: BatchView,
  total: number,
  upstream: string,
  blobs?: { readonly inputBlob: string; readonly indexBlob: string },
): Promise<boolean> {
  await ensureLinePartition(db, batch.day);
  const read = blobs ?? { inputBlob: `inputs/${batch.id}`, indexBlob: `indexes/${batch.id}` };
  if (blobs === undefined) {
    for (const key of Object.values(read)) await insertBlob(db, { key, bytes: 1, etag: "e" });
  }
  const change = { to: "in_progress", upstream, model: "small", ...read, total, firstByte: 0 } as const;
  return moveBatch(db, batch.batchNo, change, batch.createdAt);
}

export async function viewOf(db: Db, batchNo: number): Promise<BatchView> {
  const view = await getBatch(db, batchNo);
  if (view === null) throw new Error(`there is no batch ${String(batchNo)}`);
  return view;
}

/** Feeds the next lines of one batch as slices of these sizes. */
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

/** Returns slices of these sizes, starting at `firstLine`. */
export function cutSlices(batchNo: number, firstLine: number, sizes: readonly number[]): NewSlice[] {
  let next = firstLine;
  return sizes.map((lineCount) => {
    const slice = { batchNo, firstLine: next, lineCount, ...bytesOf(next, lineCount) };
    next += lineCount;
    return slice;
  });
}

/** Returns the byte range of consecutive lines in the input. */
export function bytesOf(firstLine: number, lineCount: number): { byteOffset: number; byteLength: number } {
  return { byteOffset: firstLine * LINE_BYTES, byteLength: lineCount * LINE_BYTES - 1 };
}

/** Registers a worker. */
export async function newWorker(db: Db, { host = "test", pid = 1 } = {}): Promise<string> {
  const id = `w-${randomUUID()}`;
  await registerWorker(db, { id, host, pid });
  return id;
}

/** Claims one slice. Returns null when its job is stale. */
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

/** The fields of a result that a test sets. All other fields get defaults. */
export interface ResultFields extends Partial<Omit<LineResult, "segment" | "offset" | "length">> {
  readonly batchNo: number;
  readonly line: number;
}

/** Returns a flush with one segment, in which each result is 10 bytes long. */
export function flushOf(results: readonly ResultFields[], returns: readonly SliceReturn[] = []): Flush {
  const segment = { key: `segments/${randomUUID()}`, bytes: results.length * 10 };
  return {
    segments: results.length === 0 ? [] : [segment],
    results: results.map((result, i) => ({
      // No slice has the number 0, so the ledger has to find the slice that holds the line.
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

/** Records a result for lines of one batch. */
export async function recordLines(
  db: Db,
  batchNo: number,
  lines: readonly number[],
  change: Partial<ResultFields> = {},
): Promise<Recorded> {
  return recordFlush(db, flushOf(lines.map((line) => ({ batchNo, line, ...change }))), now);
}

/** Returns lines of a slice to the ledger unsent, which uses up no attempt. */
export function unsent(slice: ClaimedSlice, lines: readonly number[], delayMs = 0): SliceReturn {
  const { batchNo, owner, sliceNo, gen, firstLine, lineCount, byteOffset, byteLength, attempt } = slice;
  return { batchNo, owner, sliceNo, gen, lines, firstLine, lineCount, byteOffset, byteLength, attempt, delayMs };
}

/** Returns a line to the ledger after a failed attempt. */
export function retried(slice: ClaimedSlice, line: number, delayMs = 0): SliceReturn {
  const { batchNo, owner, sliceNo, gen, attempt } = slice;
  const place = { firstLine: line, lineCount: 1, ...bytesOf(line, 1) };
  return { batchNo, owner, sliceNo, gen, lines: [line], ...place, attempt: attempt + 1, delayMs };
}

/** Requests a retry of one line and returns the outcome as one word. */
export async function retryLine(db: Db, batchNo: number, line: number, askedBy = "an admin"): Promise<string> {
  const outcome = await openRetries(db, { batchNo, lines: [{ line, ...bytesOf(line, 1) }], askedBy }, now);
  if (outcome.outcome !== "opened") return outcome.outcome;
  return outcome.lines.length === 1 ? "opened" : "not_failed";
}

/** Requests a retry of one line and claims its slice for a worker. */
export async function claimedRetry(db: Db, batchNo: number, line: number): Promise<ClaimedSlice> {
  const outcome = await openRetries(db, { batchNo, lines: [{ line, ...bytesOf(line, 1) }], askedBy: "an admin" }, now);
  const slice = outcome.outcome === "opened" ? outcome.slices[0] : undefined;
  const claimed = slice && (await claimSlice(db, await newWorker(db), slice, now));
  if (!claimed) throw new Error(`the retry of line ${String(line)} was not opened`);
  return claimed;
}

/** Returns the numbers of the lines whose bits are set. */
export function linesIn(todo: bigint, firstLine: number): number[] {
  return Array.from({ length: 64 }, (_, i) => i)
    .filter((i) => (todo & (1n << BigInt(i))) !== 0n)
    .map((i) => firstLine + i);
}

/** A batch, and the upstream that it was routed to. */
export type FinishedBatch = BatchView & { upstream: string };

/** Inserts a running batch of `total` lines with an input file. */
export async function batchWithInput(db: Db, total: number): Promise<FinishedBatch> {
  const tenant = await newTenant(db);
  const blob = { key: `files/${randomUUID()}`, bytes: 1, etag: "e" };
  const inputFileId = await newInputFile(db, { tenant, blob, createdAt: now, expiresAt: null });
  return runningBatch(db, { total, tenant, inputFileId });
}

/** Moves a sealed batch to its final status, with a file for each kind of result that it has. */
export async function finish(db: Db, batch: FinishedBatch, to: "completed" | "expired"): Promise<FinishedBatch> {
  const view = await viewOf(db, batch.batchNo);
  const file = () => ({ ...fileFields(batch.tenant, "batch_output", `files/${randomUUID()}`), etag: "old" });
  const output = view.completed === 0 ? null : file();
  const error = view.failed === 0 ? null : file();
  if (!(await finishBatch(db, { batchNo: batch.batchNo, to, output, error }, now)))
    throw new Error("The batch did not finish.");
  return { ...(await viewOf(db, batch.batchNo)), upstream: batch.upstream };
}

/** Inserts a completed batch of `total` lines. The `failed` ones have used all their attempts. */
export async function completedBatch(db: Db, total: number, failed: readonly number[]): Promise<FinishedBatch> {
  const batch = await batchWithInput(db, total);
  const lines = Array.from({ length: total }, (_, line) => line);
  for (let fed = 0; fed < total; fed += 64) await claimedSlice(db, batch, Math.min(64, total - fed));
  await recordLines(db, batch.batchNo, failed, { resultKind: "error", isExhausted: true });
  await recordLines(
    db,
    batch.batchNo,
    lines.filter((line) => !failed.includes(line)),
  );
  return finish(db, batch, "completed");
}

/** Publishes the answered retries with new contents for both files. */
export async function publish(db: Db, batch: BatchView, change: Partial<Publication> = {}): Promise<boolean> {
  const retries = await answeredRetries(db, batch.batchNo);
  const replace = async (fileId: string | null): Promise<Publication["output"]> => {
    if (fileId === null) return { kind: "keep" };
    const content = { key: `files/${randomUUID()}`, bytes: 2, etag: "new" };
    await insertBlob(db, content);
    return { kind: "replace", fileId, oldBlob: await blobOf(db, fileId), content };
  };
  const output = await replace(batch.outputFileId);
  const error = await replace(batch.errorFileId);
  return publishRetries(db, { batch, retries, output, error, ...change }, now);
}

export async function blobOf(db: Db, fileId: string | null): Promise<string> {
  const { rows } = await db.query<{ blob: string }>("select blob from files where id = $1", [fileId]);
  return rows[0]?.blob ?? "";
}

/** Returns the history of a batch without its status changes, the oldest entry first. */
export async function writtenHistory(db: Db, batchNo: number): Promise<HistoryEntry[]> {
  const page = await listBatchHistory(db, batchNo, { limit: 100, after: null });
  return (page?.rows ?? []).filter(({ what }) => what !== "status").reverse();
}
