/**
 * Tests the end of the completion window in each state of a batch, with an injected clock: contract §3.5,
 * docs/adr/0008.
 */
import { expect, test } from "@jest/globals";
import { overdueBatches, requestCancel } from "@nightshift/db";
import { type ClockedBatch, HANDED_OUT, TOTAL, useClockedBatches, WINDOW_SECONDS } from "./clocked-batches.ts";

const { create, db, now, pass } = useClockedBatches();

const ALL = Array.from({ length: TOTAL }, (_, i) => `id-${String(i)}`);

/**
 * Runs a batch to this state: one line is done, one is in flight, two are in waiting slices, and no other line is fed.
 */
async function half(): Promise<{ batch: ClockedBatch; inFlight: Awaited<ReturnType<ClockedBatch["claim"]>> }> {
  const batch = await create();
  await batch.advance();
  const [first, ...inFlight] = await batch.claim(2);
  await batch.answer(first === undefined ? [] : [first]);
  return { batch, inFlight };
}

async function expectWhole(batch: ClockedBatch, outputs: readonly string[], code: string): Promise<void> {
  const { outputFileId, errorFileId, completed, failed } = await batch.view();
  const output = await batch.lines(outputFileId);
  const errors = await batch.lines(errorFileId);
  expect(output.map((line) => line.custom_id)).toEqual(outputs);
  expect([...output, ...errors].map((line) => line.custom_id).sort()).toEqual(ALL);
  expect(new Set(errors.map((line) => line.error?.code))).toEqual(new Set([code]));
  expect({ completed, failed }).toEqual({ completed: outputs.length, failed: TOTAL - outputs.length });
}

test("expires a batch in validating without files and counts", async () => {
  const batch = await create();
  pass(WINDOW_SECONDS);

  expect(await overdueBatches(db(), now())).toContain(batch.batchNo);
  await batch.advance();

  expect(await batch.view()).toMatchObject({
    status: "expired",
    expiredAt: now(),
    inProgressAt: null,
    finalizingAt: null,
    outputFileId: null,
    errorFileId: null,
    total: 0,
    errors: null,
  });
});

test("keeps feeding a batch in progress until one second before its deadline", async () => {
  const { batch } = await half();
  pass(WINDOW_SECONDS - 1);

  expect(await overdueBatches(db(), now())).not.toContain(batch.batchNo);
  await batch.advance();

  expect(await batch.view()).toMatchObject({ status: "in_progress", expiredAt: null });
  expect(await batch.claim(1)).toHaveLength(1);
});

test("keeps the done lines of a batch in progress, and makes all others batch_expired", async () => {
  const { batch, inFlight } = await half();
  pass(WINDOW_SECONDS);

  expect(await overdueBatches(db(), now())).toContain(batch.batchNo);
  expect(await batch.claim(1)).toEqual([]);
  await batch.advance();
  const ended = await batch.view();
  // The reply of the line in flight arrives after the deadline.
  await batch.answer(inFlight);

  expect(inFlight).toHaveLength(1);
  expect(ended).toMatchObject({ status: "expired", finalizingAt: now(), expiredAt: now(), cancellingAt: null });
  expect(await batch.view()).toEqual(ended);
  await expectWhole(batch, ["id-0"], "batch_expired");
  const { rows } = await db().query("select 1 from slices where batch_no = $1", [batch.batchNo]);
  expect(rows).toEqual([]);
});

test("writes no output file if no line was done, and puts every line into the error file", async () => {
  const batch = await create();
  await batch.advance();
  pass(WINDOW_SECONDS);

  await batch.advance();

  expect(await batch.view()).toMatchObject({ status: "expired", outputFileId: null });
  await expectWhole(batch, [], "batch_expired");
});

test("completes a batch whose lines were done in time, however late its files are assembled", async () => {
  const batch = await create();
  await batch.advance();
  for (let done = 0; done < TOTAL; done += HANDED_OUT) {
    await batch.answer(await batch.claim(HANDED_OUT));
    // Feeds the next lines, as the job would.
    await batch.feedMore();
  }
  expect(await batch.view()).toMatchObject({ status: "finalizing", sealedAs: "done" });
  pass(2 * WINDOW_SECONDS);

  expect(await overdueBatches(db(), now())).not.toContain(batch.batchNo);
  await batch.advance();

  expect(await batch.view()).toMatchObject({ status: "completed", completedAt: now(), expiredAt: null });
  expect((await batch.lines((await batch.view()).outputFileId)).map((line) => line.custom_id)).toEqual(ALL);
});

test("ends a batch in cancelling as cancelled, even after its deadline", async () => {
  const { batch, inFlight } = await half();
  pass(WINDOW_SECONDS - 1);
  await requestCancel(db(), batch.tenant, (await batch.view()).id, now());
  const cancelledAt = now();
  await batch.advance();
  // A line is in flight, and the grace period is not over.
  expect(await batch.view()).toMatchObject({ status: "cancelling", sealedAs: null });
  pass(5);

  await batch.advance();
  await batch.answer(inFlight);

  expect(await batch.view()).toMatchObject({
    status: "cancelled",
    cancellingAt: cancelledAt,
    cancelledAt: now(),
    expiredAt: null,
  });
  await expectWhole(batch, ["id-0"], "batch_cancelled");
});

test("counts the result of a line in flight that arrives within the cancel grace period", async () => {
  const { batch, inFlight } = await half();
  await requestCancel(db(), batch.tenant, (await batch.view()).id, now());
  await batch.advance();
  await batch.answer(inFlight);

  await batch.advance();

  expect(await batch.view()).toMatchObject({ status: "cancelled" });
  await expectWhole(batch, ["id-0", "id-1"], "batch_cancelled");
});

test("does not change a final batch at its deadline", async () => {
  const batch = await create();
  await requestCancel(db(), batch.tenant, (await batch.view()).id, now());
  await batch.advance();
  const cancelled = await batch.view();
  pass(2 * WINDOW_SECONDS);

  await batch.advance();

  expect(cancelled).toMatchObject({ status: "cancelled", inProgressAt: null, outputFileId: null, errorFileId: null });
  expect(await batch.view()).toEqual(cancelled);
});
