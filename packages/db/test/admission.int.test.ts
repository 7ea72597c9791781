/** Tests admission: the number of batches of a tenant that run at once, in any order of events. */
import { describe, expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import {
  admitBatches,
  batchProgress,
  BatchQueueFullError,
  batchesToAdvance,
  type BatchView,
  moveBatch,
  overdueBatches,
  requestCancel,
  waitingTenants,
} from "../src/index.ts";
import {
  later,
  newBatch,
  newTenant,
  now,
  runningBatch,
  startBatch,
  newUpstream,
  viewOf,
} from "@nightshift/testing/batches";

const database = useDatabase();
const db = () => database.db();

async function batchesOf(count: number): Promise<[string, BatchView[]]> {
  const tenant = await newTenant(db());
  const batches: BatchView[] = [];
  for (let i = 0; i < count; i += 1) batches.push(await newBatch(db(), { tenant }));
  return [tenant, batches];
}

const numbers = (batches: readonly BatchView[]): number[] => batches.map(({ batchNo }) => batchNo);

test("admits the oldest batches that fit and shows the others as queued", async () => {
  const [tenant, batches] = await batchesOf(3);

  expect(await admitBatches(db(), tenant, 2, later(1))).toEqual(numbers(batches.slice(0, 2)));

  expect(await admitBatches(db(), tenant, 2, later(2))).toEqual([]);
  const [first, , last] = batches as [BatchView, BatchView, BatchView];
  expect((await viewOf(db(), first.batchNo)).admittedAt).toEqual(later(1));
  expect((await viewOf(db(), last.batchNo)).admittedAt).toBeNull();
  expect(await batchProgress(db(), [first.batchNo])).toMatchObject([{ isQueued: false }]);
  expect(await batchProgress(db(), [last.batchNo])).toMatchObject([{ isQueued: true }]);
  expect(await waitingTenants(db(), 1_000)).toContain(tenant);
});

test("counts a batch as running until its status is final, then admits the next one", async () => {
  const [tenant, batches] = await batchesOf(2);
  const [first, second] = batches as [BatchView, BatchView];
  await admitBatches(db(), tenant, 1, now);
  for (const status of ["validating", "in_progress", "finalizing", "cancelling"]) {
    await db().query("update batches set status = $2 where batch_no = $1", [first.batchNo, status]);
    expect(await admitBatches(db(), tenant, 1, now)).toEqual([]);
  }
  for (const status of ["completed", "failed", "expired", "cancelled"]) {
    await db().query("update batches set status = $2 where batch_no = $1", [first.batchNo, status]);
    await db().query("update batches set admitted_at = null where batch_no = $1", [second.batchNo]);
    expect(await admitBatches(db(), tenant, 1, now)).toEqual([second.batchNo]);
  }
  expect(await waitingTenants(db(), 1_000)).not.toContain(tenant);
});

test("counts a batch that started without an admission as running", async () => {
  const { tenant } = await runningBatch(db(), { total: 1 });
  const next = await newBatch(db(), { tenant });

  expect(await admitBatches(db(), tenant, 1, now)).toEqual([]);
  expect(await admitBatches(db(), tenant, 2, now)).toEqual([next.batchNo]);
});

test("admits all waiting batches if there is no limit", async () => {
  const [tenant, batches] = await batchesOf(3);
  await admitBatches(db(), tenant, 1, now);

  expect(await admitBatches(db(), tenant, null, now)).toEqual(numbers(batches.slice(1)));
});

test("admits no more batches in twenty concurrent calls than in one call", async () => {
  const [tenant, batches] = await batchesOf(6);

  const admitted = await Promise.all(Array.from({ length: 20 }, () => admitBatches(db(), tenant, 2, now)));

  expect(admitted.flat().sort((a, b) => a - b)).toEqual(numbers(batches.slice(0, 2)));
});

test("limits each tenant separately", async () => {
  const [one] = await batchesOf(2);
  const [two, [first]] = await batchesOf(2);
  await admitBatches(db(), one, 1, now);

  expect(await admitBatches(db(), two, 1, now)).toEqual([first?.batchNo]);
});

test("lets a queued batch be cancelled or expire, and then admits the next one", async () => {
  const [tenant, batches] = await batchesOf(4);
  const [, second, third, fourth] = batches as [BatchView, BatchView, BatchView, BatchView];
  await admitBatches(db(), tenant, 1, now);

  expect((await requestCancel(db(), tenant, second.id, later(1)))?.batch.status).toBe("cancelling");
  expect(await overdueBatches(db(), later(86_400))).toContain(third.batchNo);
  await moveBatch(db(), third.batchNo, { to: "expired", outputFileId: null, errorFileId: null }, later(86_400));

  expect(await admitBatches(db(), tenant, 1, now)).toEqual([]);
  expect(await admitBatches(db(), tenant, 2, now)).toEqual([fourth.batchNo]);
});

test("lists admitted and new batches for the reconciler, but not queued ones", async () => {
  const [tenant, batches] = await batchesOf(2);
  const [first, second] = batches as [BatchView, BatchView];
  await admitBatches(db(), tenant, 1, now);
  const fresh = await newBatch(db(), { tenant });

  const listed = await batchesToAdvance(db(), 1_000);

  expect(listed).toEqual(expect.arrayContaining([first.batchNo, fresh.batchNo]));
  expect(listed).not.toContain(second.batchNo);
});

describe("a full queue", () => {
  test("refuses another batch until one has ended", async () => {
    const tenant = await newTenant(db());
    const first = await newBatch(db(), { tenant, maxUnfinished: 2 });
    await newBatch(db(), { tenant, maxUnfinished: 2 });

    await expect(newBatch(db(), { tenant, maxUnfinished: 2 })).rejects.toThrow(BatchQueueFullError);
    await moveBatch(db(), first.batchNo, { to: "failed", errors: [] }, now);
    expect((await newBatch(db(), { tenant, maxUnfinished: 2 })).status).toBe("validating");
  });

  test("accepts no more batches than the limit when many are created at once", async () => {
    const tenant = await newTenant(db());

    const all = await Promise.allSettled(
      Array.from({ length: 10 }, () => newBatch(db(), { tenant, maxUnfinished: 3 })),
    );

    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  });
});

test("moves an admitted batch to its next status like any other batch", async () => {
  const [tenant, [batch]] = await batchesOf(1);
  await admitBatches(db(), tenant, 1, now);

  expect(await startBatch(db(), batch!, 1, await newUpstream(db()))).toBe(true);
});
