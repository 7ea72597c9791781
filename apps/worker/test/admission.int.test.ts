/** The worker's side of a tenant's turn: who is validated, who waits, and who is told when one ends. */
import { randomUUID } from "node:crypto";
import { beforeEach, expect, test } from "@jest/globals";
import { batchProgress, type BatchView, insertBatch, getBatch, requestCancel, setTenant } from "@nightshift/db";
import { createTiers, NO_LIMITS } from "@nightshift/domain";
import { createLogger } from "@nightshift/service";
import { useDatabase } from "@nightshift/testing";
import { batchFields } from "@nightshift/testing/batches";
import { admitWaiting } from "../src/batch/admission.ts";
import { type AdvanceDeps, advanceBatch } from "../src/jobs/advance-batch.ts";

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

/** Its input file is not there: validation ends at once, with the batch failed. */
function waitingBatch(): Promise<BatchView> {
  return insertBatch(database.db(), batchFields({ tenant, createdAt: now, deadline }));
}

/** What these paths touch of the worker; the rest is not there. */
function deps(): AdvanceDeps {
  const parts: Partial<AdvanceDeps> = {
    db: database.db(),
    tiers: createTiers({ "one at a time": { ...NO_LIMITS, concurrentBatches: 1 } }),
    clock: () => at,
    logger: createLogger({ name: "worker", level: "silent" }),
    ended: () => undefined,
    queues: {
      enqueue: (_name: string, payload: { batch_no: number }) => {
        advanced.push(payload.batch_no);
        return Promise.resolve();
      },
    } as unknown as AdvanceDeps["queues"],
  };
  return parts as AdvanceDeps;
}

const advance = (batch: BatchView): Promise<void> => advanceBatch(deps())({ v: 1, batch_no: batch.batchNo });
const statusOf = async (batch: BatchView): Promise<string | undefined> =>
  (await getBatch(database.db(), batch.batchNo))?.status;

/** Occupies the tenant's one place. */
async function runningBatch(): Promise<BatchView> {
  const batch = await waitingBatch();
  await database.db().query("update batches set admitted_at = $2 where batch_no = $1", [batch.batchNo, now]);
  return batch;
}

test("a batch without room is not looked at, and says why it waits", async () => {
  await runningBatch();
  const waiting = await waitingBatch();

  await advance(waiting);

  expect(await statusOf(waiting)).toBe("validating");
  expect(await batchProgress(database.db(), [waiting.batchNo])).toMatchObject([{ isQueued: true }]);
  expect(advanced).toEqual([]);
});

test("the end of a batch admits the oldest that waits, and tells the workers of it", async () => {
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

test("a batch that comes first into the worker's hands does not overtake an older one", async () => {
  const [older, newer] = [await waitingBatch(), await waitingBatch()];

  await advance(newer);

  expect(await statusOf(newer)).toBe("validating");
  expect(advanced).toEqual([older.batchNo]);
});

test("a waiting batch expires at its deadline without having begun", async () => {
  await runningBatch();
  const waiting = await waitingBatch();
  await advance(waiting);
  at = deadline;

  await advance(waiting);

  expect(await statusOf(waiting)).toBe("expired");
});

test("a waiting batch that is cancelled needs no turn to end", async () => {
  await runningBatch();
  const waiting = await waitingBatch();
  await advance(waiting);
  await requestCancel(database.db(), tenant, waiting.id, now);

  await advance(waiting);

  expect(await statusOf(waiting)).toBe("cancelled");
});

test("the reconciler admits where an end told nobody, and where a tier's limit is gone", async () => {
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
