/** A tenant's turn: how many of its batches run at once, whatever the order in which things happen. */
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

test("the oldest batches are admitted as far as there is room, the others wait and say why", async () => {
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

test("a batch runs in every state until its end, and makes room then", async () => {
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

test("a batch that began before there were limits counts as running", async () => {
  const { tenant } = await runningBatch(db(), { total: 1 });
  const next = await newBatch(db(), { tenant });

  expect(await admitBatches(db(), tenant, 1, now)).toEqual([]);
  expect(await admitBatches(db(), tenant, 2, now)).toEqual([next.batchNo]);
});

test("without a limit, all that wait are admitted", async () => {
  const [tenant, batches] = await batchesOf(3);
  await admitBatches(db(), tenant, 1, now);

  expect(await admitBatches(db(), tenant, null, now)).toEqual(numbers(batches.slice(1)));
});

test("twenty who ask at once admit no more than one would", async () => {
  const [tenant, batches] = await batchesOf(6);

  const admitted = await Promise.all(Array.from({ length: 20 }, () => admitBatches(db(), tenant, 2, now)));

  expect(admitted.flat().sort((a, b) => a - b)).toEqual(numbers(batches.slice(0, 2)));
});

test("tenants do not wait for each other", async () => {
  const [one] = await batchesOf(2);
  const [two, [first]] = await batchesOf(2);
  await admitBatches(db(), one, 1, now);

  expect(await admitBatches(db(), two, 1, now)).toEqual([first?.batchNo]);
});

test("a waiting batch can be cancelled and expires, and then takes nobody's turn", async () => {
  const [tenant, batches] = await batchesOf(4);
  const [, second, third, fourth] = batches as [BatchView, BatchView, BatchView, BatchView];
  await admitBatches(db(), tenant, 1, now);

  expect((await requestCancel(db(), tenant, second.id, later(1)))?.batch.status).toBe("cancelling");
  expect(await overdueBatches(db(), later(86_400))).toContain(third.batchNo);
  await moveBatch(db(), third.batchNo, { to: "expired", outputFileId: null, errorFileId: null }, later(86_400));

  expect(await admitBatches(db(), tenant, 1, now)).toEqual([]);
  expect(await admitBatches(db(), tenant, 2, now)).toEqual([fourth.batchNo]);
});

test("the reconciler's list has the batches that were admitted and those nobody has looked at, none that waits", async () => {
  const [tenant, batches] = await batchesOf(2);
  const [first, second] = batches as [BatchView, BatchView];
  await admitBatches(db(), tenant, 1, now);
  const fresh = await newBatch(db(), { tenant });

  const listed = await batchesToAdvance(db(), 1_000);

  expect(listed).toEqual(expect.arrayContaining([first.batchNo, fresh.batchNo]));
  expect(listed).not.toContain(second.batchNo);
});

describe("a queue that is full", () => {
  test("takes no further batch until one has ended", async () => {
    const tenant = await newTenant(db());
    const first = await newBatch(db(), { tenant, maxUnfinished: 2 });
    await newBatch(db(), { tenant, maxUnfinished: 2 });

    await expect(newBatch(db(), { tenant, maxUnfinished: 2 })).rejects.toThrow(BatchQueueFullError);
    await moveBatch(db(), first.batchNo, { to: "failed", errors: [] }, now);
    expect((await newBatch(db(), { tenant, maxUnfinished: 2 })).status).toBe("validating");
  });

  test("lets no more in when many come at once", async () => {
    const tenant = await newTenant(db());

    const all = await Promise.allSettled(
      Array.from({ length: 10 }, () => newBatch(db(), { tenant, maxUnfinished: 3 })),
    );

    expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  });
});

test("an admitted batch goes on as any other", async () => {
  const [tenant, [batch]] = await batchesOf(1);
  await admitBatches(db(), tenant, 1, now);

  expect(await startBatch(db(), batch!, 1, await newUpstream(db()))).toBe(true);
});
