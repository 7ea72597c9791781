/** Tests where a line goes after its reply. outcome.test.ts tests which reply has which outcome. */
import { expect, test } from "@jest/globals";
import type { UpstreamReply } from "@nightshift/upstream";
import { createFakeLease, createFakeRecorder } from "../../../test/lane-fixture.ts";
import { oneTask } from "../../../test/line-fixture.ts";
import { settleReply } from "./settle-reply.ts";

const SUCCESS: UpstreamReply = {
  kind: "answer",
  status: 200,
  body: Buffer.from("{}"),
  requestId: null,
  retryAfterMs: null,
};
const BROKEN: UpstreamReply = { kind: "broken", message: "aborted" };

function start() {
  const lease = createFakeLease(10);
  const recorder = createFakeRecorder();
  const unsentDelays: number[] = [];
  const metrics: string[] = [];
  const settle = (reply: UpstreamReply, wasAborted = false): Promise<void> => {
    const deps = {
      settings: { name: "up", maxAttempts: 3 },
      recorder: recorder.recorder,
      lease: lease.lease,
      giveBack: { toLedger: (delayMs: number) => void unsentDelays.push(delayMs) },
      metrics: { lineReturned: (upstream: string, why: string) => void metrics.push(`${upstream} ${why}`) },
      clock: () => new Date("2026-08-19T12:00:00Z"),
      random: (count: number) => new Uint8Array(count),
    };
    return settleReply(deps, oneTask(), reply, 40, wasAborted);
  };
  return { lease, recorder, unsentDelays, metrics, settle };
}

test("records a success, and tells the lease how long it took", () => {
  const { lease, recorder, metrics, settle } = start();

  void settle(SUCCESS);

  expect(recorder.finished).toMatchObject([{ outcome: { kind: "done" } }]);
  expect(lease.replies).toEqual([{ tookMs: 40, wasThrottled: false }]);
  expect(metrics).toEqual([]);
});

test("returns a line for its next attempt, with one more attempt used up", () => {
  const { lease, recorder, metrics, settle } = start();

  void settle(BROKEN);

  expect(recorder.returned).toMatchObject([{ hasBurnedAttempt: true, delayMs: expect.any(Number) }]);
  expect(lease.replies).toEqual([{ tookMs: 40, wasThrottled: false }]);
  expect(metrics).toEqual(["up next_attempt"]);
});

test.each([
  [999, []],
  [1_000, [1_000]],
])("pauses a throttled upstream for %d ms, and returns unsent lines from 1 s on", (retryAfterMs, returned) => {
  const { lease, recorder, unsentDelays, metrics, settle } = start();

  void settle({ ...SUCCESS, status: 429, retryAfterMs });

  expect(lease.pauses).toEqual([retryAfterMs]);
  expect(unsentDelays).toEqual(returned);
  expect(recorder.returned).toMatchObject([{ hasBurnedAttempt: false, delayMs: retryAfterMs }]);
  expect(lease.replies).toEqual([{ tookMs: 40, wasThrottled: true }]);
  expect(metrics).toEqual(["up throttled"]);
});

test("returns an aborted line immediately, without using up an attempt", () => {
  const { recorder, metrics, settle } = start();

  void settle(BROKEN, true);

  expect(recorder.returned).toMatchObject([{ hasBurnedAttempt: false, delayMs: 0 }]);
  expect(metrics).toEqual([]);
});

test("records a reply that was complete before the abort", () => {
  const { recorder, settle } = start();

  void settle(SUCCESS, true);

  expect(recorder.finished).toHaveLength(1);
  expect(recorder.returned).toEqual([]);
});
