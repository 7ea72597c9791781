/** The end of the completion window in every state of a batch, by an injected clock: contract §3.5, docs/adr/0008. */
import { expect, test } from "@jest/globals";
import { overdueBatches, requestCancel } from "@nightshift/db";
import { type ClockedBatch, HANDED_OUT, TOTAL, useClockedBatches, WINDOW_SECONDS } from "./clocked-batches.ts";

const { create, db, now, pass } = useClockedBatches();

const ALL = Array.from({ length: TOTAL }, (_, i) => `id-${String(i)}`);

/** One line done, one in flight, two waiting in slices, the rest not handed out. */
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

test("validating: nothing was looked at, so it expires without files and counts", async () => {
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

test("in_progress: a second before the end nothing happens, and lines are still handed out", async () => {
  const { batch } = await half();
  pass(WINDOW_SECONDS - 1);

  expect(await overdueBatches(db(), now())).not.toContain(batch.batchNo);
  await batch.advance();

  expect(await batch.view()).toMatchObject({ status: "in_progress", expiredAt: null });
  expect(await batch.claim(1)).toHaveLength(1);
});

test("in_progress: lines done stay done; in flight, waiting and not handed out become batch_expired", async () => {
  const { batch, inFlight } = await half();
  pass(WINDOW_SECONDS);

  expect(await overdueBatches(db(), now())).toContain(batch.batchNo);
  expect(await batch.claim(1)).toEqual([]);
  await batch.advance();
  const ended = await batch.view();
  // Its reply comes in after all.
  await batch.answer(inFlight);

  expect(inFlight).toHaveLength(1);
  expect(ended).toMatchObject({ status: "expired", finalizingAt: now(), expiredAt: now(), cancellingAt: null });
  expect(await batch.view()).toEqual(ended);
  await expectWhole(batch, ["id-0"], "batch_expired");
  const { rows } = await db().query("select 1 from slices where batch_no = $1", [batch.batchNo]);
  expect(rows).toEqual([]);
});

test("in_progress with nothing done: no output file, every line in the error file", async () => {
  const batch = await create();
  await batch.advance();
  pass(WINDOW_SECONDS);

  await batch.advance();

  expect(await batch.view()).toMatchObject({ status: "expired", outputFileId: null });
  await expectWhole(batch, [], "batch_expired");
});

test("finalizing: what was done in time is completed, however late its files are made", async () => {
  const batch = await create();
  await batch.advance();
  for (let done = 0; done < TOTAL; done += HANDED_OUT) {
    await batch.answer(await batch.claim(HANDED_OUT));
    // The next lines go out, as the job of the feed would see to it.
    await batch.feedMore();
  }
  expect(await batch.view()).toMatchObject({ status: "finalizing", sealedAs: "done" });
  pass(2 * WINDOW_SECONDS);

  expect(await overdueBatches(db(), now())).not.toContain(batch.batchNo);
  await batch.advance();

  expect(await batch.view()).toMatchObject({ status: "completed", completedAt: now(), expiredAt: null });
  expect((await batch.lines((await batch.view()).outputFileId)).map((line) => line.custom_id)).toEqual(ALL);
});

test("cancelling: it ends as cancelled, whatever the window says", async () => {
  const { batch, inFlight } = await half();
  pass(WINDOW_SECONDS - 1);
  await requestCancel(db(), batch.tenant, (await batch.view()).id, now());
  const cancelledAt = now();
  await batch.advance();
  // A line is in flight, and the grace not over.
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

test("cancelling, with the line in flight back in time: its result counts", async () => {
  const { batch, inFlight } = await half();
  await requestCancel(db(), batch.tenant, (await batch.view()).id, now());
  await batch.advance();
  await batch.answer(inFlight);

  await batch.advance();

  expect(await batch.view()).toMatchObject({ status: "cancelled" });
  await expectWhole(batch, ["id-0", "id-1"], "batch_cancelled");
});

test("a batch that is final is not touched by its deadline", async () => {
  const batch = await create();
  await requestCancel(db(), batch.tenant, (await batch.view()).id, now());
  await batch.advance();
  const cancelled = await batch.view();
  pass(2 * WINDOW_SECONDS);

  await batch.advance();

  expect(cancelled).toMatchObject({ status: "cancelled", inProgressAt: null, outputFileId: null, errorFileId: null });
  expect(await batch.view()).toEqual(cancelled);
});
