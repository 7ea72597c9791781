/**
 * Tests the recording of results: the first result of a line wins, is counted once, and is in one extent, even if a
 * flush is repeated.
 */
import { beforeEach, describe, expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import { finishedLines, outputExtents, recordFlush, storedLines } from "../src/index.ts";
import * as fixture from "@nightshift/testing/batches";
import { expectSoundLedger } from "./ledger-invariant.ts";

const { claimedSlice, flushOf, now, recordLines, runningBatch, viewOf } = fixture;
const database = useDatabase();

const usage = { inputTokens: 5, outputTokens: 7, totalTokens: 12, cachedTokens: 3, reasoningTokens: 2 };
let batch: Awaited<ReturnType<typeof runningBatch>>;
let number: number;

beforeEach(async () => {
  batch = await runningBatch(database.db(), { total: 70 });
  number = batch.batchNo;
});

test("counts results, sums their usage, and finds them by their place", async () => {
  await claimedSlice(database.db(), batch, 10);
  const flush = flushOf([
    { batchNo: number, line: 4, usage },
    { batchNo: number, line: 2, usage },
    { batchNo: number, line: 9, resultKind: "error" },
    { batchNo: number, line: 1 },
  ]);

  const recorded = await recordFlush(database.db(), flush, now);

  expect(recorded).toEqual({ results: flush.results, slices: [], retried: [], sealed: [] });
  expect(await viewOf(database.db(), number)).toMatchObject({
    completed: 3,
    failed: 1,
    usage: { inputTokens: 10, outputTokens: 14, totalTokens: 24, cachedTokens: 6, reasoningTokens: 4 },
  });
  const key = flush.segments[0]?.key;
  expect(await storedLines(database.db(), batch, "output")).toEqual([
    { line: 4, key, offset: 0, length: 10 },
    { line: 2, key, offset: 10, length: 10 },
    { line: 1, key, offset: 30, length: 10 },
  ]);
  expect(await storedLines(database.db(), batch, "error")).toEqual([{ line: 9, key, offset: 20, length: 10 }]);
  expect(await outputExtents(database.db(), number)).toEqual([
    { key, offset: 0, length: 20 },
    { key, offset: 30, length: 10 },
  ]);
  expect(await finishedLines(database.db(), batch)).toEqual([1, 2, 4, 9]);
  await expectSoundLedger(database.db(), number);
});

test("changes nothing when a flush is repeated after an ambiguous commit", async () => {
  const slice = await claimedSlice(database.db(), batch, 10);
  const flush = flushOf(
    [{ batchNo: number, line: 0, usage }],
    [fixture.retried(slice, 1), fixture.unsent(slice, [2, 3])],
  );
  const first = await recordFlush(database.db(), flush, now);
  const settled = await viewOf(database.db(), number);

  const again = await recordFlush(database.db(), flush, now);

  expect(first.slices).toHaveLength(2);
  expect(again).toEqual({ results: [], slices: [], retried: [], sealed: [] });
  expect(await viewOf(database.db(), number)).toEqual(settled);
  await expectSoundLedger(database.db(), number);
});

test("records one result when ten flushes bring the same line, and only its bytes are in an extent", async () => {
  await claimedSlice(database.db(), batch, 10);
  const flushes = Array.from({ length: 10 }, (_, i) =>
    flushOf([
      { batchNo: number, line: 5, usage },
      { batchNo: number, line: 5, resultKind: i % 2 === 0 ? "output" : "error" },
    ]),
  );

  const recorded = await Promise.all(flushes.map((flush) => recordFlush(database.db(), flush, now)));

  expect(recorded.map(({ results }) => results.length).sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  const winner = flushes[recorded.findIndex(({ results }) => results.length === 1)];
  expect(await outputExtents(database.db(), number)).toEqual([
    { key: winner?.segments[0]?.key, offset: 0, length: 10 },
  ]);
  expect(await viewOf(database.db(), number)).toMatchObject({ completed: 1, failed: 0, usage });
  await expectSoundLedger(database.db(), number);
});

test("records lines of several batches, succeeded and failed, in one flush", async () => {
  const other = await runningBatch(database.db(), { total: 2, upstream: batch.upstream });
  await claimedSlice(database.db(), batch, 3);
  await claimedSlice(database.db(), other, 2);

  const recorded = await recordFlush(
    database.db(),
    flushOf([
      { batchNo: other.batchNo, line: 0 },
      { batchNo: other.batchNo, line: 1, resultKind: "error", isExhausted: true },
      { batchNo: number, line: 0, resultKind: "error" },
    ]),
    now,
  );

  expect(recorded.sealed).toEqual([other.batchNo]);
  expect(await viewOf(database.db(), other.batchNo)).toMatchObject({ completed: 1, failed: 1, sealedAs: "done" });
  expect(await viewOf(database.db(), number)).toMatchObject({ completed: 0, failed: 1, sealedAs: null });
});

test("clears only the 64th bit of a slice for its last line", async () => {
  await claimedSlice(database.db(), batch, 64);

  await recordLines(database.db(), number, [63]);
  await expectSoundLedger(database.db(), number);
  await recordLines(
    database.db(),
    number,
    Array.from({ length: 63 }, (_, line) => line),
  );

  const { rows } = await database.db().query("select slice_no from slices where batch_no = $1", [number]);
  expect(rows).toEqual([]);
  expect(await viewOf(database.db(), number)).toMatchObject({ completed: 64, sealedAs: null });
  await expectSoundLedger(database.db(), number);
});

test("discards a result for an unknown batch, and records the other results of the flush", async () => {
  await claimedSlice(database.db(), batch, 1);

  const { results } = await recordFlush(
    database.db(),
    flushOf([
      { batchNo: number + 1_000_000, line: 0 },
      { batchNo: number, line: 0 },
    ]),
    now,
  );

  expect(results.map((result) => result.batchNo)).toEqual([number]);
});

describe("readers of new results", () => {
  test("can follow seq, which grows with each commit and is the same for all rows of a flush", async () => {
    await claimedSlice(database.db(), batch, 64);
    await Promise.all(Array.from({ length: 20 }, (_, line) => recordLines(database.db(), number, [line, line + 20])));

    const { rows } = await database
      .db()
      .query<{ seq: number; lines: number }>(
        "select seq, count(*)::int as lines from lines where day = $1 and batch_no = $2 group by seq order by seq",
        [batch.day, number],
      );

    expect(rows).toEqual(Array.from({ length: 20 }, (_, i) => ({ seq: i + 1, lines: 2 })));
  });
});
