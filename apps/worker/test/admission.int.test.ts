/**
 * Tests admission by the limit `concurrent_batches`: which batch is validated, which waits, and which starts when one
 * ends.
 */
import { randomUUID } from "node:crypto";
import { beforeEach, expect, test } from "@jest/globals";
import { batchProgress, type BatchView, insertBatch, getBatch, requestCancel, setTenant } from "@nightshift/db";
import { createTiers, NO_LIMITS } from "@nightshift/domain";
import { createLogger } from "@nightshift/service";
import { useDatabase } from "@nightshift/testing";
import { batchFields } from "@nightshift/testing/batches";
import { admitWaiting } from "../src/steps/validate/admission.ts";
import { type AdvanceDeps, advanceBatch } from "../src/steps/advance.ts";

const database = useDatabase();
const now = new Date("2026-08-19T12:00:00.250Z");
const deadline = new Date(now.getTime() + 86_400_000);

let tenant: string;
let advanced: number[];
let at: Date;
beforeEach(async () => {
  tenant = `t-${randomUUID()}`;
  advanced = [];
  at = now;
  await database.db().query("insert into tenants (id, tier) values ($1, 'one at a time')", [tenant]);
});

/** Creates a batch whose input file does not exist, so that validation fails it immediately. */
function waitingBatch(): Promise<BatchView> {
  return insertBatch(database.db(), batchFields({ tenant, createdAt: now, deadline }));
}

/** Returns only the dependencies that these paths use. */
function deps(): AdvanceDeps {
  const parts: Partial<AdvanceDeps> = {
    db: database.db(),
    tiers: createTiers({ "one at a time": { ...NO_LIMITS, concurrentBatches: 1 } }),
    clock: () => at,
    logger: createLogger({ name: "worker", level: "silent" }),
    scheduler: { enqueueSlices: () => Promise.resolve(), advanceSoon: () => undefined, deliverSoon: () => undefined },
    queues: {
      enqueue: (_name: string, payload: { batch_no: number }) => {
        advanced.push(payload.batch_no);
        return Promise.resolve();
      },
    } as unknown as AdvanceDeps["queues"],
  };
  return parts as AdvanceDeps;
}

const advance = (batch: BatchView): Promise<void> => advanceBatch(deps(), batch.batchNo);
const statusOf = async (batch: BatchView): Promise<string | undefined> =>
  (await getBatch(database.db(), batch.batchNo))?.status;

/** Creates a batch that takes the tenant's only slot. */
async function runningBatch(): Promise<BatchView> {
  const batch = await waitingBatch();
  await database.db().query("update batches set admitted_at = $2 where batch_no = $1", [batch.batchNo, now]);
  return batch;
}

test("leaves a batch without a slot in validating, and reports it as queued", async () => {
  await runningBatch();
  const waiting = await waitingBatch();

  await advance(waiting);

  expect(await statusOf(waiting)).toBe("validating");
  expect(await batchProgress(database.db(), [waiting.batchNo])).toMatchObject([{ isQueued: true }]);
  expect(advanced).toEqual([]);
});

test("admits and enqueues the oldest waiting batch when a batch ends", async () => {
  const running = await runningBatch();
  const [next, last] = [await waitingBatch(), await waitingBatch()];
  for (const batch of [last, next]) await advance(batch);

  await advance(running);

  expect(await statusOf(running)).toBe("failed");
  expect(advanced).toEqual([next.batchNo]);
  await advance(next);
  expect(await statusOf(next)).toBe("failed");
  expect(advanced).toEqual([next.batchNo, last.batchNo]);
});

test("admits the older batch first, even if the newer one is advanced first", async () => {
  const [older, newer] = [await waitingBatch(), await waitingBatch()];

  await advance(newer);

  expect(await statusOf(newer)).toBe("validating");
  expect(advanced).toEqual([older.batchNo]);
});

test("expires a waiting batch at its deadline", async () => {
  await runningBatch();
  const waiting = await waitingBatch();
  await advance(waiting);
  at = deadline;

  await advance(waiting);

  expect(await statusOf(waiting)).toBe("expired");
});

test("cancels a waiting batch without a slot", async () => {
  await runningBatch();
  const waiting = await waitingBatch();
  await advance(waiting);
  await requestCancel(database.db(), tenant, waiting.id, now);

  await advance(waiting);

  expect(await statusOf(waiting)).toBe("cancelled");
});

test("lets the reconciler admit batches after a missed end and after a removed limit", async () => {
  const running = await runningBatch();
  const [next, last] = [await waitingBatch(), await waitingBatch()];
  for (const batch of [next, last]) await advance(batch);
  await admitWaiting(deps());
  expect(advanced).toEqual([]);

  await database.db().query("update batches set status = 'completed' where batch_no = $1", [running.batchNo]);
  await admitWaiting(deps());
  expect(advanced).toEqual([next.batchNo]);

  await setTenant(database.db(), tenant, { tier: null });
  await admitWaiting(deps());
  expect(advanced).toEqual([next.batchNo, last.batchNo]);
});
