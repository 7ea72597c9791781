/**
 * Tests returned lines: failed attempts and unsent lines move to a new slice, if their worker still owns the old slice.
 */
import { beforeEach, expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import { type ClaimedSlice, freeOrphans, recordFlush, removeWorkers, type SliceReturn } from "../src/index.ts";
import * as fixture from "@nightshift/testing/batches";
import { claimSlice } from "@nightshift/testing/batches";
import { expectSoundLedger } from "./ledger-invariant.ts";

const { bytesOf, claimedSlice, flushOf, linesIn, newWorker, now, retried, runningBatch, unsent } = fixture;
const database = useDatabase();

let batch: Awaited<ReturnType<typeof runningBatch>>;
let slice: ClaimedSlice;

beforeEach(async () => {
  batch = await runningBatch(database.db(), { total: 100 });
  // Skip the first lines of the batch, so that bits and line numbers differ.
  await fixture.feedSlices(database.db(), batch, [7]);
  slice = await claimedSlice(database.db(), batch, 64);
});

function giveBack(...returns: SliceReturn[]): ReturnType<typeof recordFlush> {
  return recordFlush(database.db(), flushOf([], returns), now);
}

async function claimNext(worker?: string, at = 0, from?: Awaited<ReturnType<typeof giveBack>>): Promise<ClaimedSlice> {
  const waiting = from?.slices[at];
  const claimed =
    waiting && (await claimSlice(database.db(), worker ?? (await newWorker(database.db())), waiting, now));
  if (!claimed) throw new Error("there is no slice to claim");
  return claimed;
}

async function todoOf(sliceNo: number): Promise<bigint | null> {
  const { rows } = await database
    .db()
    .query<{ todo: string }>("select todo::text from slices where slice_no = $1", [sliceNo]);
  return rows[0] === undefined ? null : BigInt.asUintN(64, BigInt(rows[0].todo));
}

test("moves a failed attempt to a slice with its place in the input and the next attempt number", async () => {
  const recorded = await giveBack(retried(slice, 70));

  expect(await claimNext(undefined, 0, recorded)).toMatchObject({
    batchNo: batch.batchNo,
    firstLine: 70,
    lineCount: 1,
    ...bytesOf(70, 1),
    todo: 1n,
    attempt: 1,
    requestGen: 0,
  });
  expect(await todoOf(slice.sliceNo)).toBe(2n ** 63n - 1n);
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("moves unsent lines together with the same attempt number, and leaves all other lines to the owner", async () => {
  const recorded = await giveBack(unsent(slice, [7, 9, 70]));

  const next = await claimNext(undefined, 0, recorded);
  expect(next).toMatchObject({ firstLine: 7, lineCount: 64, attempt: 0, byteOffset: slice.byteOffset });
  expect(linesIn(next.todo, next.firstLine)).toEqual([7, 9, 70]);
  const { rows } = await database.db().query("select owner, gen from slices where slice_no = $1", [slice.sliceNo]);
  expect(rows).toEqual([{ owner: slice.owner, gen: 0 }]);
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("deletes a slice when all its lines are returned, and lists the new slice as waiting", async () => {
  const recorded = await giveBack(unsent(slice, linesIn(slice.todo, slice.firstLine)));

  expect(await todoOf(slice.sliceNo)).toBeNull();
  expect((await claimNext(undefined, 0, recorded)).todo).toBe(2n ** 64n - 1n);
  await expectSoundLedger(database.db(), batch.batchNo);
});

test.each([
  ["the slice has another owner", { owner: "w-other" }],
  ["its gen is older", { gen: 1 }],
  ["the slice is gone", { sliceNo: 0 }],
])("drops a return if %s", async (_why, change) => {
  const recorded = await giveBack({ ...retried(slice, 8), ...change }, { ...unsent(slice, [9]), ...change });

  expect(recorded.slices).toEqual([]);
  expect(await todoOf(slice.sliceNo)).toBe(2n ** 64n - 1n);
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("does not return a line that has a result, in the same flush or a later one", async () => {
  const same = await recordFlush(
    database.db(),
    flushOf([{ batchNo: batch.batchNo, line: 8 }], [retried(slice, 8), retried(slice, 9)]),
    now,
  );
  const laterOn = await giveBack(retried(slice, 8), unsent(slice, [8]));

  expect(same.slices).toHaveLength(1);
  expect((await claimNext(undefined, 0, same)).firstLine).toBe(9);
  expect(laterOn.slices).toEqual([]);
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("counts the results of a worker that was declared dead, but drops its returns", async () => {
  await removeWorkers(database.db(), [slice.owner]);
  await freeOrphans(database.db());
  const heir = await claimSlice(database.db(), await newWorker(database.db()), { sliceNo: slice.sliceNo, gen: 1 }, now);
  if (heir === null) throw new Error("the freed slice could not be claimed");

  const zombie = await recordFlush(
    database.db(),
    flushOf([{ batchNo: batch.batchNo, line: 10 }], [retried(slice, 11), unsent(slice, [12])]),
    now,
  );
  await expectSoundLedger(database.db(), batch.batchNo);
  const recorded = await recordFlush(
    database.db(),
    flushOf(
      [
        { batchNo: batch.batchNo, line: 10 },
        { batchNo: batch.batchNo, line: 11 },
      ],
      [retried(heir, 10), retried(heir, 12)],
    ),
    now,
  );

  expect(zombie.results.map(({ line }) => line)).toEqual([10]);
  expect(zombie.slices).toEqual([]);
  expect(recorded.results.map(({ line }) => line)).toEqual([11]);
  expect(recorded.slices).toHaveLength(1);
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("clears the line of a result in the slice of another worker", async () => {
  const recorded = await giveBack(retried(slice, 20));
  const retry = await claimNext(undefined, 0, recorded);

  const late = await recordFlush(database.db(), flushOf([{ batchNo: batch.batchNo, line: 20 }]), now);
  const again = await giveBack(retried(retry, 20));

  expect(late.results).toHaveLength(1);
  expect(await todoOf(retry.sliceNo)).toBeNull();
  expect(again.slices).toEqual([]);
  await expectSoundLedger(database.db(), batch.batchNo);
});

test("adds up the attempts of a line over several returns", async () => {
  let current = slice;
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    current = await claimNext(undefined, 0, await giveBack(retried(current, 30)));
    expect(current.attempt).toBe(attempt);
  }
  await expectSoundLedger(database.db(), batch.batchNo);
});
