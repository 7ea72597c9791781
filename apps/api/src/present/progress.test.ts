/** What a progress event says: speed, estimate, and why a batch gets nowhere. */
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

test("a running batch", () => {
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

test("at the first look the speed is that of the whole run", () => {
  expect(present({ linesPerSecond: null })).toMatchObject({ lines_per_second: 10, eta_seconds: 90 });
  expect(present({ linesPerSecond: null, inProgressAt: now })).toMatchObject({
    lines_per_second: 0,
    eta_seconds: null,
  });
});

test("no estimate where nothing moves, or nothing is left to do", () => {
  expect(present({ linesPerSecond: 0 }).eta_seconds).toBeNull();
  expect(present({ status: "finalizing" }).eta_seconds).toBeNull();
  expect(present({ status: "validating", inProgressAt: null, completed: 0, failed: 0 })).toMatchObject({
    request_counts: { total: 0, completed: 0, failed: 0 },
    eta_seconds: null,
  });
});

describe("why it waits", () => {
  const until = new Date("2026-08-19T12:05:00Z");
  const idle = { isInHand: false };
  test.each<[string, Partial<WatchedBatch>, string | null]>([
    ["lines are out", {}, null],
    ["the upstream is paused", { pausedUntil: until }, "the upstream is paused until 2026-08-19T12:05:00.000Z"],
    ["others have the upstream", idle, "waiting for a turn at the upstream"],
    ["all its lines wait", { ...idle, dueAt: until }, "its lines are tried again from 2026-08-19T12:05:00.000Z on"],
    ["there is no worker", { ...idle, hasWorkers: false }, "no worker is running"],
    ["nobody validates it", { ...idle, status: "validating", hasWorkers: false }, "no worker is running"],
    [
      "its tenant's other batches have to end first",
      { ...idle, status: "validating", isQueued: true },
      "concurrent_batches: the tenant has as many batches running as its tier allows",
    ],
    ["it is being validated", { ...idle, status: "validating" }, null],
    ["all lines are done", { ...idle, completed: 990 }, null],
    ["it is final", { ...idle, status: "completed", hasWorkers: false }, null],
  ])("%s", (_when, change, reason) => {
    expect(present(change).waiting).toBe(reason);
  });
});
