/** Tests feeding: the state that a plan sees, and the checkpoint that hands out each line once. */
import { expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import {
  type BatchView,
  declareUpstream,
  type FeedState,
  feedUpstream,
  leaseUpstream,
  moveBatch,
  pauseUpstream,
  recordFlush,
  requestCancel,
} from "../src/index.ts";
import * as fixture from "@nightshift/testing/batches";
import { claimSlice } from "@nightshift/testing/batches";
import { expectSoundLedger } from "./ledger-invariant.ts";

const { bytesOf, cutSlices, feedSlices, later, newTenant, newUpstream, newWorker, now, runningBatch } = fixture;
const database = useDatabase();

/** Returns the state that a plan would see now, or null if the plan is not called. Hands out no lines. */
async function stateOf(upstream: string, at = now): Promise<FeedState | null> {
  let seen: FeedState | null = null;
  await feedUpstream(database.db(), upstream, at, (state) => {
    seen = state;
    return Promise.resolve([]);
  });
  return seen;
}

async function checkpoint(batch: BatchView): Promise<{ lines: number; bytes: number } | undefined> {
  const { rows } = await database
    .db()
    .query<{ lines: number; bytes: number }>(
      "select fed_lines as lines, fed_bytes as bytes from batches where batch_no = $1",
      [batch.batchNo],
    );
  return rows[0];
}

test("moves the checkpoint past the last line and returns the slices to enqueue", async () => {
  const batch = await runningBatch(database.db(), { total: 200 });

  const slices = await feedSlices(database.db(), batch, [64, 1, 10]);

  expect(slices).toHaveLength(3);
  for (const slice of slices)
    expect(slice).toMatchObject({ gen: 0, upstream: batch.upstream, isBulk: true, delayMs: 0 });
  const { byteOffset, byteLength } = bytesOf(65, 10);
  expect(await checkpoint(batch)).toEqual({ lines: 75, bytes: byteOffset + byteLength });
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("marks the slices of batches with more than 64 lines as bulk", async () => {
  const small = await runningBatch(database.db(), { total: 64 });
  const bulk = await runningBatch(database.db(), { total: 65 });

  expect(await feedSlices(database.db(), small, [64])).toMatchObject([{ isBulk: false }]);
  expect(await feedSlices(database.db(), bulk, [64])).toMatchObject([{ isBulk: true }]);
});

test("hands out each line once to ten concurrent feeders", async () => {
  const batch = await runningBatch(database.db(), { total: 100 });

  const fed = await Promise.all(Array.from({ length: 10 }, () => feedSlices(database.db(), batch, [3, 4])));

  expect(fed.flat()).toHaveLength(20);
  expect(await checkpoint(batch)).toMatchObject({ lines: 70 });
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("drops the slices of a batch whose checkpoint has moved, and keeps the slices of other batches", async () => {
  const upstream = await newUpstream(database.db());
  const overtaken = await runningBatch(database.db(), { total: 10, upstream });
  const other = await runningBatch(database.db(), { total: 10, upstream });

  const fed = await feedUpstream(database.db(), upstream, now, async () => {
    await database
      .db()
      .query("update batches set fed_lines = 4, fed_bytes = 400 where batch_no = $1", [overtaken.batchNo]);
    return [...cutSlices(overtaken.batchNo, 0, [5]), ...cutSlices(other.batchNo, 0, [5])];
  });

  expect(fed).toHaveLength(1);
  expect(await checkpoint(overtaken)).toEqual({ lines: 4, bytes: 400 });
  expect(await checkpoint(other)).toMatchObject({ lines: 5 });
});

test("hands out no lines of a batch that is cancelled during the plan", async () => {
  const batch = await runningBatch(database.db(), { total: 10 });

  const fed = await feedUpstream(database.db(), batch.upstream, now, async () => {
    await requestCancel(database.db(), batch.tenant, batch.id, now);
    return cutSlices(batch.batchNo, 0, [5]);
  });

  expect(fed).toEqual([]);
  expect(await checkpoint(batch)).toMatchObject({ lines: 0 });
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("offers batches in progress with lines and time left: small ones first, then by deadline", async () => {
  const upstream = await newUpstream(database.db());
  const db = database.db();
  const start = (total: number, seconds: number): ReturnType<typeof runningBatch> =>
    runningBatch(db, { total, upstream, deadline: later(seconds) });
  const lateBulk = await start(100, 300);
  const soonBulk = await start(100, 200);
  const small = await start(3, 900);
  const ended = await start(100, 10);
  const allFed = await start(2, 300);
  await feedSlices(db, allFed, [2]);
  const cancelled = await start(100, 300);
  await moveBatch(db, cancelled.batchNo, { to: "cancelling" }, now);

  const state = await stateOf(upstream, later(10));

  expect(state?.candidates.map(({ batchNo }) => batchNo)).toEqual(
    [small, soonBulk, lateBulk].map(({ batchNo: number }) => number),
  );
  expect((await stateOf(upstream, later(9)))?.candidates.map(({ batchNo }) => batchNo)).toContain(ended.batchNo);
});

test("shows the plan due lines, delayed lines and the upstream's limits", async () => {
  const db = database.db();
  const upstream = await newUpstream(db, 7);
  const tenant = await newTenant(db, "heavy", 2.5);
  const batch = await runningBatch(db, { total: 200, upstream, tenant });
  const worker = await newWorker(db);
  const [first] = await feedSlices(db, batch, [64, 10]);
  const claimed = first && (await claimSlice(db, worker, first, now));
  if (!claimed) throw new Error("the slice could not be claimed");
  // The batches have 64 and 10 lines. One line is done, and two are delayed by an hour.
  const putOff = [5, 6].map((line) => fixture.retried(claimed, line, 3_600_000));
  await recordFlush(db, fixture.flushOf([{ batchNo: batch.batchNo, line: 63 }], putOff), now);
  const busy = { ceiling: 1, wantedCredits: 0, hasWaited: false, throttled: 0, answered: 1 };
  await leaseUpstream(db, upstream, worker, { wantedPermits: 1_000, ...busy }, { linesPerSecond: 12.5, lineMs: 40 });

  const state = await stateOf(upstream);

  expect(state).toMatchObject({
    dueLines: 71,
    dueBytes: bytesOf(0, 64).byteLength + bytesOf(64, 10).byteLength,
    laterLines: 2,
    concurrency: 7,
    requestsPerMinute: null,
    sliceLines: null,
    linesPerSecond: 12.5,
    lineMs: 40,
    isPaused: false,
    candidates: [
      {
        batchNo: batch.batchNo,
        tenant,
        weight: 2.5,
        fedLines: 74,
        total: 200,
        outstanding: 73,
        indexBlob: batch.indexBlob,
        deadline: batch.deadline,
      },
    ],
  });
});

test("shows the plan a pause and a limit, and skips it without candidates or for an unknown upstream", async () => {
  const db = database.db();
  const batch = await runningBatch(db, { total: 1 });
  await declareUpstream(db, { name: batch.upstream, concurrency: 3, requestsPerMinute: 60, sliceLines: null });
  await pauseUpstream(db, batch.upstream, 60_000);

  expect(await stateOf(batch.upstream)).toMatchObject({
    isPaused: true,
    concurrency: 3,
    requestsPerMinute: 60,
    sliceLines: null,
  });
  expect(await stateOf("never declared")).toBeNull();
  expect(await stateOf(await newUpstream(db))).toBeNull();
});
