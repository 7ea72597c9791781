/** Tests batches as the API and the reconciler see them: insert, find, list, cancel, and find due batches. */
import { describe, expect, test } from "@jest/globals";
import { BATCH_STATUSES, type BatchStatus } from "@nightshift/domain";
import { useDatabase } from "@nightshift/testing";
import {
  batchesToAdvance,
  findBatch,
  getBatch,
  listBatches,
  overdueBatches,
  requestCancel,
  sealExpired,
  stoppedBatches,
} from "../src/index.ts";
import { later, newBatch, newTenant, now, runningBatch } from "@nightshift/testing/batches";

const database = useDatabase();

async function batchIn(status: BatchStatus, deadline = later(86_400)): Promise<Awaited<ReturnType<typeof newBatch>>> {
  const batch = await newBatch(database.db(), { deadline });
  await database.db().query("update batches set status = $2 where batch_no = $1", [batch.batchNo, status]);
  return { ...batch, status };
}

test("returns a new batch as it was inserted, with all counts at 0", async () => {
  const metadata = { job: "nightly", 'ключ "': "線" };

  const batch = await newBatch(database.db(), { metadata, outputExpiresAfterSeconds: 3_600, requestId: "req_1" });

  expect(batch).toMatchObject({
    status: "validating",
    endpoint: "/v1/chat/completions",
    completionWindow: "24h",
    inputFileId: "file-1",
    metadata,
    outputExpiresAfterSeconds: 3_600,
    createdAt: now,
    deadline: later(86_400),
    day: Math.floor(now.getTime() / 86_400_000),
    model: null,
    errors: null,
    outputFileId: null,
    errorFileId: null,
    total: 0,
    completed: 0,
    failed: 0,
    sealedAs: null,
    requestId: "req_1",
    usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0, cachedTokens: 0, reasoningTokens: 0 },
  });
  expect(await findBatch(database.db(), batch.tenant, batch.id)).toEqual(batch);
  expect(await getBatch(database.db(), batch.batchNo)).toEqual(batch);
});

test("does not find another tenant's batch", async () => {
  const batch = await newBatch(database.db());
  const other = await newTenant(database.db());

  expect(await findBatch(database.db(), other, batch.id)).toBeNull();
  expect(await requestCancel(database.db(), other, batch.id, now)).toBeNull();
  expect(await listBatches(database.db(), other, { limit: 1, after: batch.id })).toBeNull();
  expect(await getBatch(database.db(), batch.batchNo + 1_000_000)).toBeNull();
  expect((await getBatch(database.db(), batch.batchNo))?.status).toBe("validating");
});

test("returns pages from the newest to the oldest batch without gap or overlap", async () => {
  const tenant = await newTenant(database.db());
  const ids: string[] = [];
  for (let i = 0; i < 5; i += 1) ids.unshift((await newBatch(database.db(), { tenant })).id);

  const seen: string[] = [];
  const more: boolean[] = [];
  for (let after: string | null = null; more.at(-1) !== false; after = seen.at(-1) ?? null) {
    const page = await listBatches(database.db(), tenant, { limit: 2, after });
    seen.push(...(page?.rows.map(({ id }) => id) ?? []));
    more.push(page?.hasMore ?? false);
  }

  expect(seen).toEqual(ids);
  expect(more).toEqual([true, true, false]);
  expect(await listBatches(database.db(), tenant, { limit: 5, after: null })).toMatchObject({ hasMore: false });
  expect(await listBatches(database.db(), tenant, { limit: 5, after: ids[4] ?? "" })).toEqual({
    rows: [],
    hasMore: false,
  });
  expect(await listBatches(database.db(), tenant, { limit: 5, after: "batch_unknown" })).toBeNull();
});

test("orders pages by creation time even if the batch numbers are in another order", async () => {
  const tenant = await newTenant(database.db());
  const [second, first, third] = [2, 1, 3].map((seconds) =>
    newBatch(database.db(), { tenant, createdAt: later(seconds) }),
  );
  const ids = (await Promise.all([third, second, first])).map((batch) => batch?.id);

  const seen: (string | undefined)[] = [];
  for (let i = 0; i < 3; i += 1) {
    const page = await listBatches(database.db(), tenant, { limit: 1, after: seen.at(-1) ?? null });
    seen.push(page?.rows[0]?.id);
  }

  expect(seen).toEqual(ids);
});

describe("cancel", () => {
  test.each([
    ["validating", "cancelling", "cancelling"],
    ["in_progress", "cancelling", "cancelling"],
    ["cancelling", "cancelling", "cancelling"],
    ["cancelled", "cancelled", "cancelling"],
    ["finalizing", "finalizing", "final"],
    ["completed", "completed", "final"],
    ["failed", "failed", "final"],
    ["expired", "expired", "final"],
  ] as const)("of a batch in %s leaves it in %s", async (before, after, outcome) => {
    const batch = await batchIn(before);

    const cancelled = await requestCancel(database.db(), batch.tenant, batch.id, later(5));

    expect(cancelled?.outcome).toBe(outcome);
    expect(cancelled?.batch.status).toBe(after);
    expect(cancelled?.batch.cancellingAt).toEqual(before === after ? null : later(5));
    expect(await getBatch(database.db(), batch.batchNo)).toEqual(cancelled?.batch);
  });

  test("repeated ten times at once cancels once, at the time of the first call", async () => {
    const batch = await runningBatch(database.db(), { total: 3 });

    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, i) => requestCancel(database.db(), batch.tenant, batch.id, later(i))),
    );

    expect(outcomes.map((outcome) => outcome?.outcome)).toEqual(Array(10).fill("cancelling"));
    expect(new Set(outcomes.map((outcome) => outcome?.batch.cancellingAt?.getTime())).size).toBe(1);
  });
});

test("lists the batches whose next step is due, oldest first", async () => {
  const batches: Awaited<ReturnType<typeof batchIn>>[] = [];
  for (const status of BATCH_STATUSES) batches.push(await batchIn(status));
  const waiting = batches.filter(({ status }) => ["validating", "finalizing", "cancelling"].includes(status));

  const found = await batchesToAdvance(database.db(), 1_000);

  const ours = new Set(batches.map(({ batchNo }) => batchNo));
  expect(found.filter((batchNo) => ours.has(batchNo))).toEqual(waiting.map(({ batchNo }) => batchNo));
  expect(found).toEqual([...found].sort((a, b) => a - b));
  expect(await batchesToAdvance(database.db(), 1)).toEqual(found.slice(0, 1));
});

test("lists a batch as overdue from its deadline until it has ended", async () => {
  const batches: Awaited<ReturnType<typeof batchIn>>[] = [];
  for (const status of BATCH_STATUSES) batches.push(await batchIn(status, later(60)));
  const ours = new Set(batches.map(({ batchNo }) => batchNo));
  const overdueAt = async (at: Date): Promise<BatchStatus[]> => {
    const found = new Set((await overdueBatches(database.db(), at)).filter((batchNo) => ours.has(batchNo)));
    return batches.filter(({ batchNo }) => found.has(batchNo)).map(({ status }) => status);
  };

  expect(await overdueAt(later(59.999))).toEqual([]);
  expect(await overdueAt(later(60))).toEqual(["validating", "in_progress"]);
});

test("tells a worker which of its batches have stopped or are past their deadline", async () => {
  const running = await batchIn("in_progress");
  const late = await batchIn("in_progress", later(60));
  const cancelling = await batchIn("cancelling");
  const unasked = await batchIn("cancelling");
  const asked = [running.batchNo, late.batchNo, cancelling.batchNo];

  expect(await stoppedBatches(database.db(), asked, later(59))).toEqual([
    { batchNo: cancelling.batchNo, isSealed: false },
  ]);
  expect(await stoppedBatches(database.db(), asked, later(60))).toEqual([
    { batchNo: late.batchNo, isSealed: false },
    { batchNo: cancelling.batchNo, isSealed: false },
  ]);
  expect(await sealExpired(database.db(), late.batchNo, later(60))).toBe(true);
  expect(await stoppedBatches(database.db(), [late.batchNo], later(60))).toEqual([
    { batchNo: late.batchNo, isSealed: true },
  ]);
  expect(await stoppedBatches(database.db(), [], now)).toEqual([]);
  expect(asked).not.toContain(unasked.batchNo);
});
