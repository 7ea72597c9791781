/** Tests a worker's lease of an upstream's limits, against limits that the test sets. */
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { Lease, LeaseRequest, Measured } from "@nightshift/db";
import { LINE_COST } from "./cost.ts";
import type { LaneLoad } from "./lease-share.ts";
import { createUpstreamLease } from "./upstream-lease.ts";

const load = (unsent: number, waitingSlices = 0): LaneLoad => ({
  unsent: { requests: unsent, slots: unsent },
  waitingSlices,
});

function start(first: Partial<Lease> = {}) {
  const state: { answer: Lease; error: Error | null; delayMs: number; worker: string } = {
    answer: { permits: 4, held: 4, credits: null, pausedMs: 0, ...first },
    error: null,
    delayMs: 0,
    worker: "w-1",
  };
  const requests: (LeaseRequest & Measured & { readonly worker: string })[] = [];
  const pauses: number[] = [];
  const warn = jest.fn();
  const lease = createUpstreamLease({
    limits: {
      lease: async (worker, request, measured) => {
        requests.push({ worker, ...request, ...measured });
        await new Promise((resolve) => setTimeout(resolve, state.delayMs));
        if (state.error !== null) throw state.error;
        return request.wantedPermits === 0 ? { ...state.answer, permits: 0, held: 0 } : state.answer;
      },
      pause: async (ms) => {
        pauses.push(ms);
        if (state.error !== null) throw state.error;
      },
    },
    upstream: "up",
    workerId: () => state.worker,
    logger: { warn },
  });
  const grants = { count: 0 };
  lease.onGrant(() => {
    grants.count += 1;
  });
  return { state, lease, requests, pauses, warn, grants };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test("asks for permits and credits as soon as lines arrive, and tells the lane when it has them", async () => {
  const { lease, requests, grants } = start({ permits: 4, credits: 2 });
  expect(lease.mayTake(LINE_COST)).toBe(false);

  lease.report(load(5));
  await jest.advanceTimersByTimeAsync(2);

  expect(requests).toMatchObject([{ worker: "w-1", wantedPermits: 1_000_000, wantedCredits: 5, ceiling: 0 }]);
  expect(grants.count).toBe(1);
  expect([lease.permits(), lease.mayTake(LINE_COST)]).toEqual([4, true]);
});

test("allows a line only with a free slot and enough request credits", async () => {
  const { lease } = start({ permits: 2, held: 2, credits: 3 });
  lease.report(load(5));
  await jest.advanceTimersByTimeAsync(2);

  lease.take(LINE_COST);
  lease.take(LINE_COST);
  expect(lease.mayTake(LINE_COST)).toBe(false);
  lease.release(LINE_COST);
  expect(lease.mayTake(LINE_COST)).toBe(true);
  lease.take(LINE_COST);
  lease.release(LINE_COST);

  expect(lease.mayTake(LINE_COST)).toBe(false);
});

test("renews every 150 ms with permits, every 25 ms while it has lines and no permit", async () => {
  const { state, lease, requests } = start({ permits: 0, held: 0 });
  lease.report(load(5));
  await jest.advanceTimersByTimeAsync(2);
  await jest.advanceTimersByTimeAsync(4 * 26);
  expect(requests).toHaveLength(5);

  state.answer = { ...state.answer, permits: 4, held: 4 };
  await jest.advanceTimersByTimeAsync(26);
  expect(requests).toHaveLength(6);
  await jest.advanceTimersByTimeAsync(130);
  expect(requests).toHaveLength(6);
  await jest.advanceTimersByTimeAsync(21);

  expect(requests).toHaveLength(7);
});

test("gives its permits and credits back a second after the last line, and then asks for nothing more", async () => {
  const { state, lease, requests } = start({ permits: 4, held: 4, credits: 4 });
  lease.report(load(1));
  await jest.advanceTimersByTimeAsync(2);
  lease.take(LINE_COST);
  lease.release(LINE_COST);
  lease.report(load(0));
  await jest.advanceTimersByTimeAsync(900);
  expect(requests.at(-1)).toMatchObject({ wantedPermits: 1 });

  state.answer = { ...state.answer, credits: 0 };
  await jest.advanceTimersByTimeAsync(10_000);

  expect(requests.at(-1)).toMatchObject({ wantedPermits: 0, ceiling: 0, wantedCredits: 0 });
  expect([lease.permits(), jest.getTimerCount()]).toEqual([0, 0]);
});

test("reports the replies since the last lease with the next lease", async () => {
  const { lease, requests } = start();
  lease.report(load(5));
  await jest.advanceTimersByTimeAsync(2);
  lease.noteReply(100, false);
  lease.noteReply(200, false);
  lease.noteReply(1, true);

  await jest.advanceTimersByTimeAsync(151);

  expect(requests.at(-1)).toMatchObject({ answered: 2, throttled: 1, lineMs: 150 });
  expect(requests.at(-1)?.linesPerSecond).toBeGreaterThan(0);
});

test("sends nothing while another worker has paused the upstream", async () => {
  const { state, lease } = start({ pausedMs: 300 });
  lease.report(load(5));
  await jest.advanceTimersByTimeAsync(2);
  expect(lease.mayTake(LINE_COST)).toBe(false);
  expect(lease.pausedMs()).toBeGreaterThan(200);

  state.answer = { ...state.answer, pausedMs: 0 };
  await jest.advanceTimersByTimeAsync(301);

  expect([lease.mayTake(LINE_COST), lease.pausedMs()]).toEqual([true, 0]);
});

test("pauses the upstream once for many lines that get the same 429", async () => {
  const { lease, pauses } = start();
  for (let i = 0; i < 100; i += 1) lease.pause(1_000 + i);
  expect(pauses).toEqual([1_000]);

  lease.pause(1_101);

  expect(pauses).toEqual([1_000, 1_101]);
  expect(lease.pausedMs()).toBe(1_101);
});

test("pauses this worker even if it cannot pause the upstream for all workers", async () => {
  const { state, lease, warn } = start();
  state.error = new Error("unavailable");

  lease.pause(1_000);
  await jest.advanceTimersByTimeAsync(1);

  expect(warn).toHaveBeenCalledWith(
    { err: state.error, upstream: "up" },
    "could not pause an upstream for all workers",
  );
  expect(lease.pausedMs()).toBe(999);
});

test("keeps its permits when a renewal fails, and tries again", async () => {
  const { state, lease, requests, warn } = start();
  lease.report(load(5));
  await jest.advanceTimersByTimeAsync(2);
  state.error = new Error("unavailable");

  await jest.advanceTimersByTimeAsync(152);

  expect(warn).toHaveBeenCalledTimes(1);
  expect([lease.permits(), lease.mayTake(LINE_COST)]).toEqual([4, true]);
  await jest.advanceTimersByTimeAsync(152);
  expect(requests).toHaveLength(3);
});

test("sends nothing once a renewal has taken 8 s, because other workers may have its permits", async () => {
  const { state, lease } = start();
  lease.report(load(5));
  await jest.advanceTimersByTimeAsync(2);
  state.delayMs = 60_000;

  await jest.advanceTimersByTimeAsync(7_900);
  expect(lease.mayTake(LINE_COST)).toBe(true);
  await jest.advanceTimersByTimeAsync(200);

  expect(lease.mayTake(LINE_COST)).toBe(false);
});

test("holds nothing after a reset, and ignores a lease that was requested under the lost id", async () => {
  const { state, lease, requests } = start();
  lease.report(load(5));
  await jest.advanceTimersByTimeAsync(2);
  state.delayMs = 100;
  await jest.advanceTimersByTimeAsync(152);
  expect(requests).toHaveLength(2);

  state.worker = "w-2";
  lease.reset();
  await jest.advanceTimersByTimeAsync(100);
  expect([lease.permits(), lease.mayTake(LINE_COST)]).toEqual([0, false]);

  await jest.advanceTimersByTimeAsync(200);
  expect(requests.at(-1)).toMatchObject({ worker: "w-2" });
  expect(lease.permits()).toBe(4);
});
