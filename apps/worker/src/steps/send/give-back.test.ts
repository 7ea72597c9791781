/** Tests how unsent lines leave a lane: they return to the ledger, or are only dropped from memory. */
import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { createFakeLease, createFakeRecorder } from "../../../test/lane-fixture.ts";
import { oneTask } from "../../../test/line-fixture.ts";
import { createGiveBack } from "./give-back.ts";
import { createLinesInHand } from "./lines-in-hand.ts";
import { createUnsentLines } from "./unsent-lines.ts";

function start(permits: number) {
  const unsent = createUnsentLines();
  const inHand = createLinesInHand();
  const lease = createFakeLease(permits);
  const recorder = createFakeRecorder();
  const settled: number[] = [];
  const giveBack = createGiveBack({ unsent, inHand, recorder: recorder.recorder, lease: lease.lease });
  const add = (batchNo: number): void => {
    const task = oneTask({ batchNo });
    inHand.add(batchNo);
    unsent.add({ task, settle: () => settled.push(batchNo) });
  };
  return { unsent, inHand, lease, recorder, settled, giveBack, add };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test("returns lines to the ledger without using up an attempt, and settles them once returned", async () => {
  const { giveBack, recorder, settled, unsent, inHand, add } = start(10);
  add(1);
  add(2);

  giveBack.toLedger(700);

  expect(recorder.returned.map(({ task, ...rest }) => ({ batchNo: task.slice.batchNo, ...rest }))).toEqual([
    { batchNo: 1, hasBurnedAttempt: false, delayMs: 700 },
    { batchNo: 2, hasBurnedAttempt: false, delayMs: 700 },
  ]);
  expect([unsent.count(), inHand.batches(), settled]).toEqual([0, [], []]);
  recorder.commit();
  await jest.advanceTimersByTimeAsync(0);
  expect(settled).toEqual([1, 2]);
});

test("returns only the lines that match", () => {
  const { giveBack, recorder, inHand, add } = start(10);
  add(1);
  add(2);

  giveBack.toLedger(0, (task) => task.slice.batchNo === 2);

  expect(recorder.returned.map(({ task }) => task.slice.batchNo)).toEqual([2]);
  expect(inHand.batches()).toEqual([1]);
});

test("drops lines without telling the ledger", () => {
  const { giveBack, recorder, settled, unsent, inHand, add } = start(10);
  add(1);

  giveBack.drop();

  expect(settled).toEqual([1]);
  expect([recorder.returned, unsent.count(), inHand.batches()]).toEqual([[], 0, []]);
});

describe("a lane without permits", () => {
  test("returns its lines after 3 s, to be claimed after 3 s more", () => {
    const { giveBack, recorder, add } = start(0);
    add(1);

    giveBack.ifStarved(0);
    jest.advanceTimersByTime(2_999);
    giveBack.ifStarved(0);
    expect(recorder.returned).toEqual([]);

    jest.advanceTimersByTime(1);
    giveBack.ifStarved(0);
    expect(recorder.returned).toMatchObject([{ hasBurnedAttempt: false, delayMs: 3_000 }]);
  });

  const NOTHING = { permits: 0, inFlight: 0, pausedMs: 0 };
  test.each([
    ["it got a permit", { ...NOTHING, permits: 1 }],
    ["it had a line in flight", { ...NOTHING, inFlight: 1 }],
    ["the upstream was paused", { ...NOTHING, pausedMs: 500 }],
  ])("starts to count again if %s in between", (_why, { permits, inFlight, pausedMs }) => {
    const { giveBack, lease, recorder, add } = start(0);
    add(1);
    giveBack.ifStarved(0);
    jest.advanceTimersByTime(2_000);

    Object.assign(lease, { permits, pausedMs });
    giveBack.ifStarved(inFlight);
    Object.assign(lease, { permits: 0, pausedMs: 0 });
    giveBack.ifStarved(0);
    jest.advanceTimersByTime(2_999);
    giveBack.ifStarved(0);
    expect(recorder.returned).toEqual([]);

    jest.advanceTimersByTime(1);
    giveBack.ifStarved(0);
    expect(recorder.returned).toHaveLength(1);
  });
});
