/**
 * Tests retries of finished batches: the batch stays unchanged until its retries are published, and then changes in one
 * transaction.
 */
import { expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import {
  answeredRetries,
  batchesToPublish,
  deleteFile,
  exhaustedLines,
  feedUpstream,
  findFile,
  freeOrphans,
  giveUpRetries,
  isDueToPublish,
  openRetries,
  recordFlush,
  removeWorkers,
  sealExpired,
  stoppedBatches,
  sweepableSegments,
  unneededBlobs,
  waitingSlices,
} from "../src/index.ts";
import * as fixture from "@nightshift/testing/batches";
import { expectSoundLedger } from "./ledger-invariant.ts";

const { batchWithInput, blobOf, bytesOf, claimedRetry, claimedSlice, claimSlice, completedBatch, finish } = fixture;
const { flushOf, later, newWorker, now, publish, recordLines, retried, retryLine, viewOf, writtenHistory } = fixture;
const database = useDatabase();
const db = () => database.db();

const USAGE = { inputTokens: 1, outputTokens: 2, totalTokens: 3, cachedTokens: 0, reasoningTokens: 0 };

test("does not change the batch when a retry is opened, and lets its slice be claimed for a day", async () => {
  const batch = await completedBatch(db(), 5, [2, 3]);

  expect(await retryLine(db(), batch.batchNo, 3)).toBe("opened");
  expect(await viewOf(db(), batch.batchNo)).toMatchObject({ completed: 3, failed: 2, status: "completed" });
  const [slice] = (await waitingSlices(db(), 1_000)).filter((each) => each.upstream === batch.upstream);
  if (slice === undefined) throw new Error("the slice does not wait");
  expect(await claimSlice(db(), await newWorker(db()), slice, later(90_000))).toBeNull();
  await db().query("update batches set deadline = $2 where batch_no = $1", [batch.batchNo, later(-1)]);
  expect(await claimSlice(db(), await newWorker(db()), slice, now)).toMatchObject({
    firstLine: 3,
    requestGen: 1,
    deadline: later(86_400),
  });
  expect(await stoppedBatches(db(), [batch.batchNo], now)).toEqual([]);
});

test("changes counts, usage, index and files together when a result is published, and nothing before", async () => {
  const batch = await completedBatch(db(), 5, [2, 3]);
  const oldBlob = await blobOf(db(), batch.outputFileId);
  await claimedRetry(db(), batch.batchNo, 3);

  const recorded = await recordLines(db(), batch.batchNo, [3], { requestGen: 1, usage: USAGE });
  expect(recorded).toMatchObject({ results: [{ line: 3 }], retried: [batch.batchNo], sealed: [] });
  expect(await viewOf(db(), batch.batchNo)).toEqual({ ...batch, upstream: batch.upstream });
  expect(await publish(db(), batch)).toBe(true);

  expect(await viewOf(db(), batch.batchNo)).toEqual({
    ...batch,
    completed: 4,
    failed: 1,
    usage: USAGE,
    status: "completed",
  });
  expect(await findFile(db(), batch.tenant, batch.outputFileId ?? "", now)).toMatchObject({ etag: "new", bytes: 2 });
  expect(await unneededBlobs(db(), now, 86_400, 1_000)).not.toContain(oldBlob);
  expect(await writtenHistory(db(), batch.batchNo)).toMatchObject([
    { id: "1", what: "retries_asked", by: "an admin", details: { count: 1, lines: [4] } },
    { id: "2", what: "retries_succeeded", by: null, details: { count: 1, lines: [4] } },
    { id: "3", what: "files_rebuilt", by: null, details: { output: "replace", error: "replace" } },
  ]);
  await expectSoundLedger(db(), batch.batchNo);
});

test("keeps the counts when a line fails again, replaces its error line, and allows another retry", async () => {
  const batch = await completedBatch(db(), 5, [3]);
  await claimedRetry(db(), batch.batchNo, 3);
  await recordLines(db(), batch.batchNo, [3], { requestGen: 1, resultKind: "error" });
  expect(await retryLine(db(), batch.batchNo, 3)).toBe("not_failed");
  expect(await publish(db(), batch, { output: { kind: "keep" } })).toBe(true);

  expect(await viewOf(db(), batch.batchNo)).toEqual({ ...batch, upstream: batch.upstream });
  expect(await claimedRetry(db(), batch.batchNo, 3)).toMatchObject({ requestGen: 2 });
});

test("discards a result with an older request_gen and a second result for the same retry, and keeps the slice", async () => {
  const batch = await completedBatch(db(), 5, [3]);
  await claimedRetry(db(), batch.batchNo, 3);

  const old = await recordLines(db(), batch.batchNo, [3], { requestGen: 0 });
  expect(old).toMatchObject({ results: [], retried: [] });
  const { rows: slices } = await db().query("select slice_no from slices where batch_no = $1", [batch.batchNo]);
  expect(slices).toHaveLength(1);
  await recordLines(db(), batch.batchNo, [3], { requestGen: 1, resultKind: "error" });
  const second = await recordLines(db(), batch.batchNo, [3], { requestGen: 1 });

  expect(second.results).toEqual([]);
  expect(await answeredRetries(db(), batch.batchNo)).toMatchObject([{ line: 3, failed: true }]);
});

test("opens only one retry when ten concurrent calls retry a line of a finished batch", async () => {
  const batch = await completedBatch(db(), 5, [2, 3]);

  const outcomes = await Promise.all(Array.from({ length: 10 }, () => retryLine(db(), batch.batchNo, 2)));

  expect(outcomes.filter((outcome) => outcome === "opened")).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === "not_failed")).toHaveLength(9);
});

test("moves a failed attempt of a retry to a new slice, and a dead worker's slice to another worker", async () => {
  const batch = await completedBatch(db(), 5, [3]);
  const slice = await claimedRetry(db(), batch.batchNo, 3);
  const { slices } = await recordFlush(db(), flushOf([], [retried(slice, 3)]), now);
  const retry = slices[0] && (await claimSlice(db(), await newWorker(db()), slices[0], now));
  expect(retry).toMatchObject({ attempt: 1, requestGen: 1, deadline: later(86_400) });

  await removeWorkers(db(), [retry?.owner ?? ""]);
  await freeOrphans(db());

  expect((await waitingSlices(db(), 1_000)).map(({ sliceNo }) => sliceNo)).toContain(retry?.sliceNo);
});

test("closes open retries when a batch is sealed, and lets its unfinished lines be retried later", async () => {
  const batch = await batchWithInput(db(), 4);
  await claimedSlice(db(), batch, 2);
  await recordLines(db(), batch.batchNo, [0]);
  await recordLines(db(), batch.batchNo, [1], { resultKind: "error" });
  const first = await claimedRetry(db(), batch.batchNo, 1);
  expect(await sealExpired(db(), batch.batchNo, now)).toBe(true);
  const expired = await finish(db(), batch, "expired");

  const again = await claimedRetry(db(), batch.batchNo, 1);
  const never = await claimedRetry(db(), batch.batchNo, 3);
  await recordLines(db(), batch.batchNo, [1], { requestGen: first.requestGen });
  await recordLines(db(), batch.batchNo, [1, 3], { requestGen: again.requestGen });
  const unfinished = await recordLines(db(), batch.batchNo, [3], { requestGen: never.requestGen });
  await publish(db(), expired);

  expect([first.requestGen, again.requestGen, never.requestGen]).toEqual([1, 2, 1]);
  expect(unfinished.retried).toEqual([batch.batchNo]);
  expect(await viewOf(db(), batch.batchNo)).toMatchObject({ completed: 3, failed: 1, status: "expired" });
  await expectSoundLedger(db(), batch.batchNo);
});

test("keeps each line in one place when a seal and ten retries run at once", async () => {
  const batch = await batchWithInput(db(), 12);
  await claimedSlice(db(), batch, 11);
  await recordLines(db(), batch.batchNo, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { resultKind: "error" });

  await Promise.all([
    ...Array.from({ length: 5 }, (_, line) => retryLine(db(), batch.batchNo, line)),
    sealExpired(db(), batch.batchNo, now),
    ...Array.from({ length: 5 }, (_, line) => retryLine(db(), batch.batchNo, line + 5)),
  ]);

  expect(await viewOf(db(), batch.batchNo)).toMatchObject({ completed: 0, failed: 12, status: "finalizing" });
  await expectSoundLedger(db(), batch.batchNo);
  const { rows } = await db().query("select 1 from retries where batch_no = $1 and state = 'open'", [batch.batchNo]);
  expect(rows).toEqual([]);
});

test("finds unpublished retries after a crash: immediately if all are answered, otherwise after a minute", async () => {
  const batch = await completedBatch(db(), 5, [2, 3]);
  await claimedRetry(db(), batch.batchNo, 2);
  await claimedRetry(db(), batch.batchNo, 3);
  const first = await recordLines(db(), batch.batchNo, [2], { requestGen: 1 });
  const isDue = async (seconds: number): Promise<boolean[]> => [
    (await batchesToPublish(db(), later(seconds))).includes(batch.batchNo),
    await isDueToPublish(db(), batch.batchNo, later(seconds)),
  ];

  expect(first.retried).toEqual([]);
  expect([await isDue(59), await isDue(60)]).toEqual([
    [false, false],
    [true, true],
  ]);
  await recordLines(db(), batch.batchNo, [3], { requestGen: 1 });
  expect(await isDue(0)).toEqual([true, true]);
  await publish(db(), batch);
  expect(await isDue(3_600)).toEqual([false, false]);
});

test("publishes one of two concurrent rebuilds", async () => {
  const batch = await completedBatch(db(), 5, [2, 3]);
  await claimedRetry(db(), batch.batchNo, 2);
  await recordLines(db(), batch.batchNo, [2], { requestGen: 1 });

  const published = await Promise.all([publish(db(), batch), publish(db(), batch)]);

  expect(published.sort()).toEqual([false, true]);
  expect(await viewOf(db(), batch.batchNo)).toMatchObject({ completed: 4, failed: 1 });
});

test("creates a missing output file, and removes an error file that would be empty", async () => {
  const batch = await completedBatch(db(), 1, [0]);
  await claimedRetry(db(), batch.batchNo, 0);
  await recordLines(db(), batch.batchNo, [0], { requestGen: 1 });
  const key = `files/new-${String(batch.batchNo)}`;
  const file = { id: `file-${key.slice(6)}`, tenant: batch.tenant, purpose: "batch_output", filename: "out.jsonl" };
  const fileId = batch.errorFileId ?? "";

  const isPublished = await publish(db(), batch, {
    output: { kind: "create", file: { ...file, bytes: 1, blob: key, etag: "e", createdAt: now, expiresAt: null } },
    error: { kind: "remove", fileId, oldBlob: await blobOf(db(), fileId) },
  });

  expect([batch.outputFileId, isPublished]).toEqual([null, true]);
  expect(await viewOf(db(), batch.batchNo)).toMatchObject({ outputFileId: file.id, errorFileId: null, completed: 1 });
  expect(await findFile(db(), batch.tenant, fileId, now)).toBeNull();
});

test("gives up a retry without a result after a day, and keeps the old result", async () => {
  const batch = await completedBatch(db(), 5, [3]);
  await claimedRetry(db(), batch.batchNo, 3);

  await giveUpRetries(db(), later(86_399));
  expect(await retryLine(db(), batch.batchNo, 3)).toBe("not_failed");
  await giveUpRetries(db(), later(86_400));

  const late = await recordLines(db(), batch.batchNo, [3], { requestGen: 1 });
  expect(late.results).toEqual([]);
  expect((await writtenHistory(db(), batch.batchNo)).at(-1)).toMatchObject({ what: "retries_given_up" });
  expect(await retryLine(db(), batch.batchNo, 3)).toBe("opened");
});

test.each(["input", "output"] as const)("refuses a retry of a finished batch without its %s file", async (file) => {
  const batch = await completedBatch(db(), 5, [3]);
  const id = file === "input" ? batch.inputFileId : (batch.outputFileId ?? "");
  await deleteFile(db(), batch.tenant, id, now);

  const outcome = await openRetries(
    db(),
    { batchNo: batch.batchNo, lines: [{ line: 3, ...bytesOf(3, 1) }], askedBy: "x" },
    now,
  );

  expect(outcome).toEqual({ outcome: "file_gone", file });
});

test("keeps the bytes that a retry needs as long as a retry is open or could be requested", async () => {
  const batch = await completedBatch(db(), 5, [3]);
  const isKept = async (key: string | null): Promise<boolean> =>
    !(await unneededBlobs(db(), now, -1, 10_000)).includes(key ?? "");
  const bytes = async (): Promise<boolean[]> => [await isKept(batch.inputBlob), await isKept(batch.indexBlob)];

  // In this fixture, the batch's input blob differs from its input file's blob.
  expect(await bytes()).toEqual([false, true]);
  await claimedRetry(db(), batch.batchNo, 3);
  await deleteFile(db(), batch.tenant, batch.inputFileId, now);
  expect(await bytes()).toEqual([true, true]);
  const flush = await recordLines(db(), batch.batchNo, [3], { requestGen: 1, resultKind: "error" });
  expect(await bytes()).toEqual([true, true]);
  const segment = flush.results[0]?.segment;
  const swept = async (): Promise<boolean> => {
    await db().query("update batches set completed_at = now() - interval '9 days' where batch_no = $1", [
      batch.batchNo,
    ]);
    return (await sweepableSegments(db(), -1, 10_000)).some(({ key }) => key === segment);
  };
  expect(await swept()).toBe(false);
  await publish(db(), batch);

  expect(await bytes()).toEqual([false, false]);
  expect(await swept()).toBe(true);
});

test("parks many lines at once and releases them into the window step by step", async () => {
  const lines = Array.from({ length: 300 }, (_, line) => line);
  const batch = await completedBatch(db(), 300, lines);

  const opened = await openRetries(
    db(),
    { batchNo: batch.batchNo, lines: lines.map((line) => ({ line, ...bytesOf(line, 1) })), askedBy: "x" },
    now,
  );
  const fed = await feedUpstream(db(), batch.upstream, now, () => Promise.resolve([]));
  const next = await feedUpstream(db(), batch.upstream, now, () => Promise.resolve([]));

  expect(opened).toMatchObject({ outcome: "opened", slices: [], lines: { length: 300 } });
  // The window of this upstream is 200 lines. Each feed releases half of the remaining room: 100 lines, then 50.
  expect([fed.length, next.length]).toEqual([100, 50]);
  expect(fed.every(({ delayMs, isBulk }) => delayMs === 0 && isBulk)).toBe(true);
});

test("lists exhausted lines of finished batches in the failed set while they can be retried", async () => {
  const batch = await completedBatch(db(), 5, [2, 3]);
  const ours = async (): Promise<number[]> =>
    (await exhaustedLines(db(), 1_000, now)).filter((l) => l.batchNo === batch.batchNo).map(({ line }) => line);

  expect(await ours()).toEqual([3, 2]);
  await claimedRetry(db(), batch.batchNo, 2);
  expect(await ours()).toEqual([3]);
  await deleteFile(db(), batch.tenant, batch.inputFileId, now);
  expect(await ours()).toEqual([]);
});
