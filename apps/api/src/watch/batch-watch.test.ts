/** Watching a batch: one reading per second for all watchers, no reading without watchers, and no timer left behind. */
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { BatchProgress, Db } from "@nightshift/db";
import { createBatchWatch, type WatchedBatch } from "./batch-watch.ts";

const batch: BatchProgress = {
  batchNo: 7,
  id: "batch_7",
  status: "in_progress",
  inProgressAt: new Date(0),
  total: 100,
  completed: 0,
  failed: 0,
  seq: 0,
  isSealed: false,
  pausedUntil: null,
  isInHand: true,
  dueAt: null,
  isQueued: false,
  hasWorkers: true,
};

/** A database with one batch, which counts its queries. */
function fakeDb() {
  const state = { row: { ...batch } as BatchProgress | null, reads: 0, isUnavailable: false };
  const query = (): Promise<{ rows: BatchProgress[] }> => {
    state.reads += 1;
    if (state.isUnavailable) return Promise.reject(new Error("the database is unavailable"));
    return Promise.resolve({ rows: state.row === null ? [] : [{ ...state.row }] });
  };
  return { state, db: { query } as unknown as Db };
}

function start() {
  const { state, db } = fakeDb();
  const process = { isDraining: false };
  const warn = jest.fn();
  const watch = createBatchWatch({ db, logger: { warn }, isDraining: () => process.isDraining });
  const seen: WatchedBatch[] = [];
  const ended = jest.fn();
  const look = (): (() => void) => watch.watch(7, { onReading: (one) => seen.push(one), onEnd: ended });
  return { state, process, warn, watch, seen, ended, look };
}

const second = (n = 1): Promise<void> => jest.advanceTimersByTimeAsync(n * 1000);

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

test("reads once per second for a hundred watchers, and stops reading when they leave", async () => {
  const { state, seen, look } = start();
  const stops = Array.from({ length: 100 }, look);
  await second(0);
  expect([state.reads, seen.length]).toEqual([1, 100]);
  await second(3);
  expect([state.reads, seen.length]).toEqual([4, 400]);
  for (const stop of stops) stop();
  await second(10);
  expect(state.reads).toBe(4);
});

test("a later watcher gets the latest reading at once", async () => {
  const { state, seen, look } = start();
  const first = look();
  await second(0);
  const later = look();
  expect([state.reads, seen.length]).toEqual([1, 2]);
  first();
  later();
});

test("measures the speed between readings", async () => {
  const { state, seen, look } = start();
  const stop = look();
  await second(0);
  for (let n = 1; n <= 3; n += 1) {
    state.row = { ...batch, completed: 20 * n };
    await second();
  }
  expect(seen.map((one) => one.linesPerSecond)).toEqual([null, 20, 20, 20]);
  stop();
});

test("a watcher that leaves during a read is not called, and leaves no timer", async () => {
  const { seen, look } = start();
  look()();
  await second();
  expect(seen).toEqual([]);
});

test("keeps its watchers and reads again while the database is unavailable", async () => {
  const { state, seen, warn, ended, look } = start();
  state.isUnavailable = true;
  const stop = look();
  await second(2);
  state.isUnavailable = false;
  await second();
  expect(seen).toHaveLength(1);
  expect(warn).toHaveBeenCalledTimes(3);
  expect(ended).not.toHaveBeenCalled();
  stop();
});

test("logs an error of one watcher, and keeps reading the batch for the others", async () => {
  const { seen, warn, watch, look } = start();
  const broken = jest.fn(() => {
    throw new Error("broken watcher");
  });
  const stops = [watch.watch(7, { onReading: broken, onEnd: () => undefined }), look()];
  await second(2);
  stops.push(watch.watch(7, { onReading: broken, onEnd: () => undefined }));
  expect([broken.mock.calls.length, warn.mock.calls.length, seen.length]).toEqual([4, 4, 3]);
  for (const stop of stops) stop();
});

test.each<["the process stops" | "the batch is deleted"]>([["the process stops"], ["the batch is deleted"]])(
  "ends all watchers when %s",
  async (why) => {
    const { state, process, ended, look } = start();
    const stops = [look(), look()];
    await second(0);
    if (why === "the process stops") process.isDraining = true;
    else state.row = null;
    await second();
    expect(ended).toHaveBeenCalledTimes(2);
    for (const stop of stops) stop();
  },
);

test("next resolves with the first commit above the known one", async () => {
  const { state, watch } = start();
  const next = watch.next(7, 0, 30_000, new AbortController().signal);
  await second(2);
  state.row = { ...batch, seq: 1 };
  await second();
  expect(await next).toMatchObject({ seq: 1 });
});

test("next resolves at once if the latest reading shows that no more results will come", async () => {
  const { state, watch, look } = start();
  state.row = { ...batch, isSealed: true };
  const stop = look();
  await second(0);
  expect(await watch.next(7, 5, 30_000, new AbortController().signal)).toMatchObject({ isSealed: true });
  stop();
});

test("next resolves with null after its timeout, and when its client disconnects", async () => {
  const { watch } = start();
  const client = new AbortController();
  const nexts = [watch.next(7, 0, 5_000, new AbortController().signal), watch.next(7, 0, 30_000, client.signal)];
  await second(1);
  client.abort();
  await second(4);
  expect(await Promise.all(nexts)).toEqual([null, null]);
  expect(await watch.next(7, 0, 30_000, client.signal)).toBeNull();
});
