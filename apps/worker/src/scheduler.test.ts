/** Tests the jobs that follow a step: which jobs, when they are enqueued, and what happens if the queue fails. */
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { WaitingSlice } from "@nightshift/db";
import type { JobQueues, SliceToRun } from "@nightshift/queue";
import { createLogger } from "@nightshift/service";
import { createScheduler } from "./scheduler.ts";
import { createTimers } from "./timers.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function start() {
  const jobs: unknown[] = [];
  const slices: (readonly [upstream: string, sliceNos: number[]])[] = [];
  const logged: string[] = [];
  const state = { isUnavailable: false };
  const logger = createLogger({
    name: "test",
    level: "info",
    destination: { write: (line) => void logged.push(line) },
  });
  const queues = {
    enqueue: (name: string, payload: object) => {
      jobs.push([name, payload]);
      return Promise.resolve();
    },
    enqueueSlices: (upstream: string, some: readonly SliceToRun[]) => {
      if (state.isUnavailable) return Promise.reject(new Error("the queue is unavailable"));
      slices.push([upstream, some.map(({ sliceNo }) => sliceNo)]);
      return Promise.resolve();
    },
  } as unknown as JobQueues;
  const timers = createTimers(logger);
  const deliveries = { enqueueOf: () => Promise.resolve() };
  return { scheduler: createScheduler({ queues, deliveries, timers, logger }), timers, jobs, slices, logged, state };
}

const slice = (sliceNo: number, upstream: string, delayMs = 0): WaitingSlice => ({
  sliceNo,
  gen: 0,
  upstream,
  isBulk: false,
  delayMs,
});

test("enqueues slices by upstream, and enqueues a slice with a delay after the delay", async () => {
  const { scheduler, slices } = start();

  await scheduler.enqueueSlices([slice(1, "a"), slice(2, "b", 1_000), slice(3, "a"), slice(4, "b")]);
  expect(slices).toEqual([
    ["a", [1, 3]],
    ["b", [4]],
  ]);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(slices).toHaveLength(2);
  await jest.advanceTimersByTimeAsync(5);

  expect(slices[2]).toEqual(["b", [2]]);
});

test("logs slices that cannot be enqueued, and does not fail", async () => {
  const { scheduler, logged, state } = start();
  state.isUnavailable = true;

  await scheduler.enqueueSlices([slice(1, "a"), slice(2, "a")]);

  expect(logged).toHaveLength(1);
  expect(JSON.parse(logged[0] ?? "")).toMatchObject({ upstream: "a", slices: 2 });
});

test("enqueues nothing after the timers are closed", async () => {
  const { scheduler, timers, jobs, slices } = start();
  scheduler.advanceSoon(1, 200);
  await scheduler.enqueueSlices([slice(1, "a", 200)]);

  timers.close();
  scheduler.feedSoon("a");
  await jest.advanceTimersByTimeAsync(1_000);

  expect([jobs, slices]).toEqual([[], []]);
});

test("feeds a busy upstream at intervals that grow up to 250 ms, and an idle upstream after 40 ms", async () => {
  const { scheduler, jobs } = start();
  const delaysMs: number[] = [];
  const feedOnce = async (): Promise<void> => {
    const before = jobs.length;
    const askedAt = performance.now();
    scheduler.feedSoon("a");
    scheduler.feedSoon("a");
    while (jobs.length === before) await jest.advanceTimersByTimeAsync(1);
    delaysMs.push(Math.floor(performance.now() - askedAt));
  };

  for (let i = 0; i < 6; i += 1) await feedOnce();
  await jest.advanceTimersByTimeAsync(2_000);
  await feedOnce();

  expect(delaysMs).toEqual([40, 60, 90, 135, 202, 250, 40]);
  expect(jobs).toHaveLength(7);
});
