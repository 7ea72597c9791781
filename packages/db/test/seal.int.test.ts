/**
 * Tests the seal: a batch is sealed exactly once, as done, expired or cancelled. After the seal no more results are
 * recorded.
 */
import { beforeEach, describe, expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import {
  type ClaimedSlice,
  feedUpstream,
  recordFlush,
  requestCancel,
  sealCancelled,
  sealExpired,
  withTx,
} from "../src/index.ts";
import * as fixture from "@nightshift/testing/batches";
import { expectSoundLedger } from "./ledger-invariant.ts";

const { claimedSlice, feedSlices, flushOf, later, now, recordLines, retried, runningBatch, unsent, viewOf } = fixture;
const database = useDatabase();

let batch: Awaited<ReturnType<typeof runningBatch>>;

beforeEach(async () => {
  batch = await runningBatch(database.db(), { total: 10 });
});

const cancel = (): ReturnType<typeof requestCancel> => requestCancel(database.db(), batch.tenant, batch.id, now);

describe("done", () => {
  test("is set by the flush with the last result, at its time", async () => {
    await claimedSlice(database.db(), batch, 10);
    expect((await recordLines(database.db(), batch.batchNo, [0, 1, 2, 3, 4, 5, 6, 7, 8])).sealed).toEqual([]);

    const last = await recordFlush(
      database.db(),
      flushOf([{ batchNo: batch.batchNo, line: 9, resultKind: "error" }]),
      later(4),
    );

    expect(last.sealed).toEqual([batch.batchNo]);
    expect(await viewOf(database.db(), batch.batchNo)).toMatchObject({
      status: "finalizing",
      sealedAs: "done",
      finalizingAt: later(4),
      completed: 9,
      failed: 1,
    });
  });

  test("is set by one of ten concurrent flushes that have one line each", async () => {
    await claimedSlice(database.db(), batch, 10);

    const recorded = await Promise.all(
      Array.from({ length: 10 }, (_, line) => recordLines(database.db(), batch.batchNo, [line])),
    );

    expect(recorded.flatMap(({ sealed }) => sealed)).toEqual([batch.batchNo]);
    await expectSoundLedger(database.db(), batch.batchNo);
  });
});

describe("expired", () => {
  test("is set at once, even with lines in flight, and counts unfinished lines as failed", async () => {
    await claimedSlice(database.db(), batch, 6);
    await recordLines(database.db(), batch.batchNo, [0, 1]);
    await recordLines(database.db(), batch.batchNo, [2], { resultKind: "error" });

    expect(await sealExpired(database.db(), batch.batchNo, later(1))).toBe(true);

    expect(await viewOf(database.db(), batch.batchNo)).toMatchObject({
      status: "finalizing",
      sealedAs: "expired",
      finalizingAt: later(1),
      completed: 2,
      failed: 8,
    });
    await expectSoundLedger(database.db(), batch.batchNo);
  });

  test("is not set on a batch that is validating, sealed or final", async () => {
    const validating = await fixture.newBatch(database.db());
    await sealExpired(database.db(), batch.batchNo, now);

    expect(await sealExpired(database.db(), validating.batchNo, now)).toBe(false);
    expect(await sealExpired(database.db(), batch.batchNo, now)).toBe(false);
    expect(await viewOf(database.db(), validating.batchNo)).toMatchObject({ status: "validating", sealedAs: null });
  });

  test("is set once in a race with the last result, with matching counts", async () => {
    await claimedSlice(database.db(), batch, 10);
    await recordLines(database.db(), batch.batchNo, [0, 1, 2, 3, 4, 5, 6, 7, 8]);

    const [last, isExpired] = await Promise.all([
      recordLines(database.db(), batch.batchNo, [9]),
      sealExpired(database.db(), batch.batchNo, now),
    ]);

    expect(last.sealed.length === 1).toBe(!isExpired);
    const view = await viewOf(database.db(), batch.batchNo);
    expect(view).toMatchObject(
      isExpired ? { sealedAs: "expired", completed: 9, failed: 1 } : { sealedAs: "done", completed: 10, failed: 0 },
    );
    await expectSoundLedger(database.db(), batch.batchNo);
  });

  test("leaves no slice behind when a feed started before the seal", async () => {
    let sealed: Promise<boolean> | undefined;
    await feedUpstream(database.db(), batch.upstream, now, (state) => {
      // The test does not await the seal: it waits for the feed's checkpoint, or the feed's compare-and-set fails.
      sealed = sealExpired(database.db(), batch.batchNo, now);
      return Promise.resolve(fixture.cutSlices(batch.batchNo, state.candidates[0]?.fedLines ?? 0, [5]));
    });

    expect(await sealed).toBe(true);
    await expectSoundLedger(database.db(), batch.batchNo);
  });
});

describe("cancelled", () => {
  test("waits for slices with an owner, not for waiting slices", async () => {
    const slice = await claimedSlice(database.db(), batch, 4);
    await feedSlices(database.db(), batch, [3]);
    await cancel();

    expect(await sealCancelled(database.db(), batch.batchNo, false, now)).toBe(false);
    await recordFlush(
      database.db(),
      flushOf([{ batchNo: batch.batchNo, line: 0 }], [retried(slice, 1), unsent(slice, [2, 3])]),
      now,
    );
    expect(await sealCancelled(database.db(), batch.batchNo, false, later(3))).toBe(true);

    expect(await viewOf(database.db(), batch.batchNo)).toMatchObject({
      status: "cancelling",
      sealedAs: "cancelled",
      completed: 1,
      failed: 9,
    });
    await expectSoundLedger(database.db(), batch.batchNo);
  });

  test("does not wait with `force`", async () => {
    await claimedSlice(database.db(), batch, 4);
    await cancel();

    expect(await sealCancelled(database.db(), batch.batchNo, true, now)).toBe(true);
    expect(await sealCancelled(database.db(), batch.batchNo, true, now)).toBe(false);
    await expectSoundLedger(database.db(), batch.batchNo);
  });

  test("is set on a batch in cancelling, even if the last result or the deadline seals it", async () => {
    const other = await runningBatch(database.db(), { total: 1 });
    await claimedSlice(database.db(), other, 1);
    await requestCancel(database.db(), other.tenant, other.id, now);
    await cancel();

    expect(await sealExpired(database.db(), batch.batchNo, now)).toBe(true);
    expect((await recordLines(database.db(), other.batchNo, [0])).sealed).toEqual([other.batchNo]);

    for (const { batchNo: number } of [batch, other]) {
      expect(await viewOf(database.db(), number)).toMatchObject({
        status: "cancelling",
        sealedAs: "cancelled",
        finalizingAt: null,
      });
    }
  });

  test("is not set on a batch that was not cancelled", async () => {
    await feedSlices(database.db(), batch, [3]);

    expect(await sealCancelled(database.db(), batch.batchNo, true, now)).toBe(false);

    expect(await viewOf(database.db(), batch.batchNo)).toMatchObject({ status: "in_progress", sealedAs: null });
    await expectSoundLedger(database.db(), batch.batchNo);
  });

  test("is set on a batch that was validating and has no slices", async () => {
    const validating = await fixture.newBatch(database.db());
    await requestCancel(database.db(), validating.tenant, validating.id, now);

    expect(await fixture.startBatch(database.db(), validating, 5, "up")).toBe(false);
    expect(await sealCancelled(database.db(), validating.batchNo, false, now)).toBe(true);

    expect(await viewOf(database.db(), validating.batchNo)).toMatchObject({ total: 0, completed: 0, failed: 0 });
  });
});

describe("after the seal", () => {
  test.each([
    ["expired", (number: number): Promise<boolean> => sealExpired(database.db(), number, now)],
    [
      "cancelled",
      async (number: number): Promise<boolean> => {
        await cancel();
        return sealCancelled(database.db(), number, true, now);
      },
    ],
  ])("discards results and returns of an %s batch", async (_as, seal) => {
    const slice: ClaimedSlice = await claimedSlice(database.db(), batch, 10);
    await recordLines(database.db(), batch.batchNo, [0]);
    await seal(batch.batchNo);
    const sealed = await viewOf(database.db(), batch.batchNo);

    const late = await recordFlush(
      database.db(),
      flushOf([{ batchNo: batch.batchNo, line: 1 }], [retried(slice, 2), unsent(slice, [3])]),
      later(1),
    );

    expect(late).toEqual({ results: [], slices: [], retried: [], sealed: [] });
    expect(await viewOf(database.db(), batch.batchNo)).toEqual(sealed);
    await expectSoundLedger(database.db(), batch.batchNo);
  });

  test("discards a flush that waited for the locks of the seal", async () => {
    await claimedSlice(database.db(), batch, 10);
    let waiting: ReturnType<typeof recordLines> | undefined;
    await withTx(database.db(), async (tx) => {
      await tx.query("select 1 from batch_progress where batch_no = $1 for no key update", [batch.batchNo]);
      waiting = recordLines(database.db(), batch.batchNo, [1]);
      await tx.query(
        "update batch_progress set sealed_at = now(), sealed_as = 'expired', failed = 10 where batch_no = $1",
        [batch.batchNo],
      );
    });

    expect((await waiting)?.results).toEqual([]);
    expect(await viewOf(database.db(), batch.batchNo)).toMatchObject({ completed: 0, failed: 10 });
  });
});
