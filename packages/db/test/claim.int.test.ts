/** Tests claims: a job that is delivered twice, late or to a dead worker claims its slice at most once. */
import { beforeEach, expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import {
  claimSlices,
  freeOrphans,
  recordFlush,
  removeWorkers,
  requestCancel,
  sealExpired,
  type WaitingSlice,
  waitingSlices,
} from "../src/index.ts";
import * as fixture from "@nightshift/testing/batches";
import { claimSlice } from "@nightshift/testing/batches";

const { feedSlices, flushOf, later, newWorker, now, retried, runningBatch } = fixture;
const database = useDatabase();

let batch: Awaited<ReturnType<typeof runningBatch>>;
let slice: WaitingSlice;
let worker: string;

beforeEach(async () => {
  batch = await runningBatch(database.db(), { total: 100, deadline: later(3_600) });
  worker = await newWorker(database.db());
  const [first] = await feedSlices(database.db(), batch, [64]);
  if (first === undefined) throw new Error("nothing was fed");
  slice = first;
});

/** Returns the slices of this test's batch that the reconciler would enqueue. */
async function waiting(): Promise<WaitingSlice[]> {
  return (await waitingSlices(database.db(), 1_000)).filter(({ upstream }) => upstream === batch.upstream);
}

test("returns the facts about slice and batch that the worker needs, with all 64 bits", async () => {
  const claimed = await claimSlice(database.db(), worker, slice, now);

  expect(claimed).toEqual({
    sliceNo: slice.sliceNo,
    gen: 0,
    owner: worker,
    upstream: batch.upstream,
    batchNo: batch.batchNo,
    batchId: batch.id,
    tenant: batch.tenant,
    endpoint: batch.endpoint,
    inputBlob: batch.inputBlob,
    deadline: batch.deadline,
    firstLine: 0,
    lineCount: 64,
    ...fixture.bytesOf(0, 64),
    todo: 2n ** 64n - 1n,
    attempt: 0,
    requestGen: 0,
    isBulk: true,
  });
});

test("gives each slice to one of three workers that claim many at once, and gives no slice to a stale job", async () => {
  const workers = [worker, await newWorker(database.db()), await newWorker(database.db())];
  const fed = await feedSlices(database.db(), batch, [1, 2, 3, 4, 5]);
  const jobs = [...fed, { sliceNo: slice.sliceNo, gen: 7 }, { sliceNo: 999_999_999, gen: 0 }];

  const claims = await Promise.all(
    workers.map((one, i) => claimSlices(database.db(), one, i === 1 ? [...jobs].reverse() : jobs, now)),
  );

  const claimed = claims.flat();
  expect(claimed.map(({ sliceNo }) => sliceNo).sort()).toEqual(fed.map(({ sliceNo }) => sliceNo).sort());
  expect(claims.every((own, i) => own.every(({ owner }) => owner === workers[i]))).toBe(true);
});

test("claims a slice once when its job is delivered ten times to three workers", async () => {
  const workers = [worker, await newWorker(database.db()), await newWorker(database.db())];

  const claims = await Promise.all(
    Array.from({ length: 10 }, (_, i) => claimSlice(database.db(), workers[i % 3] ?? worker, slice, now)),
  );

  expect(claims.filter((claimed) => claimed !== null)).toHaveLength(1);
  expect(await waiting()).toEqual([]);
});

test("refuses a job that is older than the freed slice, and lists the slice under its new gen", async () => {
  await claimSlice(database.db(), worker, slice, now);
  await removeWorkers(database.db(), [worker]);
  await freeOrphans(database.db());
  const other = await newWorker(database.db());

  expect(await claimSlice(database.db(), other, slice, now)).toBeNull();
  expect(await waiting()).toEqual([{ ...slice, gen: 1 }]);
  expect(await claimSlice(database.db(), other, { ...slice, gen: 1 }, now)).toMatchObject({ owner: other, gen: 1 });
});

test("gives nothing to a worker that is not registered", async () => {
  await removeWorkers(database.db(), [worker]);

  expect(await claimSlice(database.db(), worker, slice, now)).toBeNull();
  expect(await waiting()).toEqual([slice]);
});

test("refuses claims from the deadline on, and of a cancelled or sealed batch", async () => {
  expect(await claimSlice(database.db(), worker, slice, later(3_600))).toBeNull();

  await requestCancel(database.db(), batch.tenant, batch.id, now);
  expect(await claimSlice(database.db(), worker, slice, now)).toBeNull();
  expect(await waiting()).toEqual([]);

  await sealExpired(database.db(), batch.batchNo, now);
  expect(await claimSlice(database.db(), worker, slice, now)).toBeNull();
});

test("lists only due slices for the reconciler, oldest first, up to the limit", async () => {
  const [second] = await feedSlices(database.db(), batch, [10]);
  const claimed = await claimSlice(database.db(), worker, slice, now);
  if (!claimed || !second) throw new Error("the slices are not there");
  const returns = [retried(claimed, 3, 3_600_000), retried(claimed, 4, 0)];

  const { slices } = await recordFlush(database.db(), flushOf([], returns), now);

  const [due, notDue] = [...slices].sort((a, b) => a.delayMs - b.delayMs);
  expect(due).toMatchObject({ gen: 0, isBulk: true, upstream: batch.upstream, delayMs: 0 });
  expect(notDue?.delayMs).toBeGreaterThan(3_000_000);
  expect((await waiting()).map(({ sliceNo }) => sliceNo)).toEqual([second.sliceNo, due?.sliceNo]);
  expect(await waitingSlices(database.db(), 1)).toHaveLength(1);
});
