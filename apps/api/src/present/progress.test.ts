/** The progress event: speed, estimate, and the reason why a batch waits. */
import { describe, expect, test } from "@jest/globals";
import type { WatchedBatch } from "../watch/batch-watch.ts";
import type { ProgressEvent } from "@nightshift/domain";
import { presentProgress } from "./progress.ts";

const now = new Date("2026-08-19T12:00:10Z");
const running: WatchedBatch = {
  batchNo: 1,
  id: "batch_1",
  status: "in_progress",
  inProgressAt: new Date("2026-08-19T12:00:00Z"),
  total: 1000,
  completed: 90,
  failed: 10,
  seq: 3,
  isSealed: false,
  pausedUntil: null,
  isInHand: true,
  dueAt: null,
  isQueued: false,
  hasWorkers: true,
  linesPerSecond: 33.333,
};
const present = (change: Partial<WatchedBatch>): ProgressEvent => presentProgress({ ...running, ...change }, now);

test("a running batch shows its counts, its speed and an estimate", () => {
  expect(present({})).toEqual({
    object: "batch.progress",
    batch_id: "batch_1",
    status: "in_progress",
    request_counts: { total: 1000, completed: 90, failed: 10 },
    lines_per_second: 33.3,
    eta_seconds: 28,
    waiting: null,
  });
});

test("the first event shows the average speed of the whole run", () => {
  expect(present({ linesPerSecond: null })).toMatchObject({ lines_per_second: 10, eta_seconds: 90 });
  expect(present({ linesPerSecond: null, inProgressAt: now })).toMatchObject({
    lines_per_second: 0,
    eta_seconds: null,
  });
});

test("has no estimate if the speed is zero or the batch is not in progress", () => {
  expect(present({ linesPerSecond: 0 }).eta_seconds).toBeNull();
  expect(present({ status: "finalizing" }).eta_seconds).toBeNull();
  expect(present({ status: "validating", inProgressAt: null, completed: 0, failed: 0 })).toMatchObject({
    request_counts: { total: 0, completed: 0, failed: 0 },
    eta_seconds: null,
  });
});

describe("waiting", () => {
  const until = new Date("2026-08-19T12:05:00Z");
  const idle = { isInHand: false };
  test.each<[string, Partial<WatchedBatch>, string | null]>([
    ["a line is at the upstream", {}, null],
    ["the upstream is paused", { pausedUntil: until }, "the upstream is paused until 2026-08-19T12:05:00.000Z"],
    ["other batches use the upstream", idle, "waiting for a share of the upstream's capacity"],
    [
      "all lines wait for their next attempt",
      { ...idle, dueAt: until },
      "the next attempt is at 2026-08-19T12:05:00.000Z",
    ],
    ["a running batch has no worker", { ...idle, hasWorkers: false }, "no worker is running"],
    ["a validating batch has no worker", { ...idle, status: "validating", hasWorkers: false }, "no worker is running"],
    [
      "the tenant has reached its limit of running batches",
      { ...idle, status: "validating", isQueued: true },
      "concurrent_batches: the tenant is running as many batches as its tier allows",
    ],
    ["a worker validates the batch", { ...idle, status: "validating" }, null],
    ["all lines are done", { ...idle, completed: 990 }, null],
    ["the batch is final", { ...idle, status: "completed", hasWorkers: false }, null],
  ])("is the right reason when %s", (_when, change, reason) => {
    expect(present(change).waiting).toBe(reason);
  });
});
