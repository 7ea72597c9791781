/**
 * Tests retries of running batches: a retry is a new request, which is distinguished from redeliveries of the old
 * request.
 */
import { beforeEach, expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import {
  type ClaimedSlice,
  exhaustedLines,
  recordFlush,
  requestCancel,
  sealCancelled,
  storedLines,
} from "../src/index.ts";
import * as fixture from "@nightshift/testing/batches";
import { claimedRetry, claimSlice, retryLine } from "@nightshift/testing/batches";
import { expectSoundLedger } from "./ledger-invariant.ts";

const { bytesOf, claimedSlice, flushOf, newWorker, now, recordLines, runningBatch, viewOf } = fixture;
const database = useDatabase();

let batch: Awaited<ReturnType<typeof runningBatch>>;

beforeEach(async () => {
  batch = await runningBatch(database.db(), { total: 10 });
  await claimedSlice(database.db(), batch, 8);
  await recordLines(database.db(), batch.batchNo, [2, 3, 4], { resultKind: "error", isExhausted: true });
  await recordLines(database.db(), batch.batchNo, [1]);
});

const retry = (line: number): Promise<string> => retryLine(database.db(), batch.batchNo, line);
const claimRetried = (line: number): Promise<ClaimedSlice> => claimedRetry(database.db(), batch.batchNo, line);

test("removes a failed line from index and counts, and inserts a slice with a new request generation", async () => {
  const slice = await claimRetried(3);

  expect(slice).toMatchObject({ firstLine: 3, lineCount: 1, ...bytesOf(3, 1), todo: 1n, attempt: 0, requestGen: 1 });
  expect(await viewOf(database.db(), batch.batchNo)).toMatchObject({ completed: 1, failed: 2, status: "in_progress" });
  const { rows } = await database
    .db()
    .query("select line, request_gen, asked_by from retries where batch_no = $1", [batch.batchNo]);
  expect(rows).toEqual([{ line: 3, request_gen: 1, asked_by: "an admin" }]);
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("discards results of the older request and counts results of the new request", async () => {
  const { requestGen } = await claimRetried(3);

  const old = await recordLines(database.db(), batch.batchNo, [3, 5], { requestGen: 0 });
  await expectSoundLedger(database.db(), batch.batchNo);
  const fresh = await recordLines(database.db(), batch.batchNo, [3], { requestGen });

  expect(old.results.map(({ line }) => line)).toEqual([5]);
  expect(fresh.results).toHaveLength(1);
  expect(await viewOf(database.db(), batch.batchNo)).toMatchObject({ completed: 3, failed: 2 });
  expect((await storedLines(database.db(), batch, "error")).map(({ line }) => line)).toEqual([2, 4]);
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("keeps the request generation over attempts, and raises it with the next retry", async () => {
  const slice = await claimRetried(3);
  const { slices } = await recordFlush(database.db(), flushOf([], [fixture.retried(slice, 3)]), now);
  const retry = slices[0] && (await claimSlice(database.db(), await newWorker(database.db()), slices[0], now));
  expect(retry).toMatchObject({ attempt: 1, requestGen: 1 });
  await recordLines(database.db(), batch.batchNo, [3], { resultKind: "error", requestGen: 1 });

  expect(await claimRetried(3)).toMatchObject({ requestGen: 2 });
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("completes the batch with the result of a retried last line", async () => {
  const slice = await claimRetried(3);
  await fixture.feedSlices(database.db(), batch, [2]);
  await recordLines(database.db(), batch.batchNo, [0, 5, 6, 7, 8, 9]);
  expect(await viewOf(database.db(), batch.batchNo)).toMatchObject({ status: "in_progress" });

  const last = await recordLines(database.db(), batch.batchNo, [3], { requestGen: slice.requestGen });

  expect(last.sealed).toEqual([batch.batchNo]);
  expect(await viewOf(database.db(), batch.batchNo)).toMatchObject({ status: "finalizing", completed: 8, failed: 2 });
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("opens only one retry when ten concurrent calls retry a line", async () => {
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => retry(2)));

  expect(outcomes.filter((outcome) => outcome === "opened")).toHaveLength(1);
  expect(outcomes.filter((outcome) => outcome === "not_failed")).toHaveLength(9);
  await expectSoundLedger(database.db(), batch.batchNo);
});

test.each([
  ["done", 1],
  ["claimed by a worker", 5],
  ["not in a slice yet", 9],
])("does not retry a line that is %s", async (_where, line) => {
  expect(await retry(line)).toBe("not_failed");
});

test("refuses a retry of an unknown line or batch, and of a batch that is being finished", async () => {
  expect(await retry(10)).toBe("not_failed");
  expect(await retryLine(database.db(), 1_000_000, 0)).toBe("no_such_batch");

  await requestCancel(database.db(), batch.tenant, batch.id, now);
  expect(await retry(2)).toBe("wrong_state");
  await sealCancelled(database.db(), batch.batchNo, true, now);
  expect(await retry(2)).toBe("wrong_state");
});

test("lists exhausted lines of running batches without a retry, newest first", async () => {
  await recordLines(database.db(), batch.batchNo, [5], { resultKind: "error" });
  await claimRetried(3);
  const ours = async (limit: number): Promise<number[]> =>
    (await exhaustedLines(database.db(), limit, now))
      .filter(({ batchId }) => batchId === batch.id)
      .map(({ line, requestGen }) => line + requestGen);

  expect(await ours(100)).toEqual([4, 2]);
  expect(await ours(1)).toEqual([4]);
  await requestCancel(database.db(), batch.tenant, batch.id, now);
  expect(await ours(100)).toEqual([]);
});
