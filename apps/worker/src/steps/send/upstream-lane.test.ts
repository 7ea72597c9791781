/** Tests a lane from claimed lines to recorded results, with a fake client, lease and recorder. */
import { expect, test } from "@jest/globals";
import type { UpstreamReply, UpstreamRequest } from "@nightshift/upstream";
import { createFakeLease, createFakeRecorder, nextTurn } from "../../../test/lane-fixture.ts";
import { claimed, tasksOfSlice } from "../../../test/line-fixture.ts";
import { createByteBudget } from "./byte-budget.ts";
import { createLinesInHand } from "./lines-in-hand.ts";
import { createUpstreamLane } from "./upstream-lane.ts";

const SUCCESS: UpstreamReply = {
  kind: "answer",
  status: 200,
  body: Buffer.from("{}"),
  requestId: null,
  retryAfterMs: null,
};

function start(permits: number) {
  const lease = createFakeLease(permits);
  const recorder = createFakeRecorder();
  const inHand = createLinesInHand();
  const sent: { readonly request: UpstreamRequest; readonly reply: (reply: UpstreamReply) => Promise<void> }[] = [];
  const lane = createUpstreamLane({
    settings: {
      name: "up",
      baseUrl: "http://up/v1",
      apiKey: null,
      concurrency: 8,
      requestsPerMinute: null,
      timeoutMs: 1_000,
      maxAttempts: 3,
      sliceLines: null,
      headers: {},
    },
    client: {
      send: (request) =>
        new Promise((resolve) => {
          const reply = (value: UpstreamReply): Promise<void> => {
            resolve(value);
            return nextTurn();
          };
          request.signal.addEventListener("abort", () => {
            resolve({ kind: "broken", message: "aborted" });
          });
          sent.push({ request, reply });
        }),
    },
    routes: { resolve: (model) => (model === "small" ? { upstream: "up", model: "small-v2" } : null) },
    recorder: recorder.recorder,
    budget: createByteBudget(1_000),
    inHand,
    lease: lease.lease,
    metrics: { lineReturned: () => undefined },
    clock: () => new Date("2026-08-19T12:00:00Z"),
  });
  const ended: number[] = [];
  const run = (batchNo: number, lineCount: number): void => {
    void lane.run(tasksOfSlice(claimed({ batchNo, lineCount }))).then(() => ended.push(batchNo));
  };
  return { lease, recorder, sent, lane, inHand, ended, run };
}

test("sends the line with the routed model and the line's idempotency key", () => {
  const { sent, run } = start(1);

  run(1, 1);

  const { body, endpoint, idempotencyKey } = sent[0]!.request;
  expect({ endpoint, idempotencyKey }).toEqual({ endpoint: "/v1/chat/completions", idempotencyKey: "batch_1-0-0" });
  expect(JSON.parse(Buffer.from(body).toString())).toMatchObject({ model: "small-v2" });
});

test("ends a slice when each of its lines is recorded", async () => {
  const { lane, recorder, sent, inHand, ended, run } = start(2);
  run(1, 2);
  expect([lane.inFlight(), inHand.batches(), inHand.has(1)]).toEqual([2, [1], true]);

  for (const { reply } of sent) await reply(SUCCESS);
  expect([lane.inFlight(), inHand.batches(), recorder.finished.length, ended]).toEqual([0, [], 2, []]);
  recorder.commit();
  await nextTurn();

  expect(ended).toEqual([1]);
});

test("returns its unsent lines to the ledger when the upstream throttles", async () => {
  const { recorder, sent, lease, run } = start(1);
  run(1, 3);

  await sent[0]?.reply({ ...SUCCESS, status: 429, retryAfterMs: 5_000 });

  expect(recorder.returned.map(({ task, delayMs }) => [task.line, delayMs])).toEqual([
    [1, 5_000],
    [2, 5_000],
    [0, 5_000],
  ]);
  expect(lease.pauses).toEqual([5_000]);
});

test("drains: returns unsent and later lines, and resolves when the last reply is in", async () => {
  const { lane, recorder, sent, run } = start(1);
  run(1, 2);
  let isDrained = false;
  const drained = lane.drain().then(() => {
    isDrained = true;
  });
  run(2, 1);
  await nextTurn();
  expect([isDrained, sent.length]).toEqual([false, 1]);
  expect(recorder.returned.map(({ task }) => [task.slice.batchNo, task.line])).toEqual([
    [1, 1],
    [2, 0],
  ]);

  await sent[0]?.reply(SUCCESS);
  await drained;

  expect(recorder.finished).toHaveLength(1);
});

test("returns the lines that it aborts without using up an attempt, and leaves other batches alone", async () => {
  const { inHand, recorder, run } = start(2);
  run(1, 1);
  run(2, 1);

  inHand.abort(1);
  await nextTurn();

  expect(recorder.returned).toMatchObject([{ task: { slice: { batchNo: 1 } }, hasBurnedAttempt: false, delayMs: 0 }]);
  expect(inHand.batches()).toEqual([2]);
});

test("ends a slice whose unsent lines are dropped", async () => {
  const { lane, recorder, ended, run } = start(0);
  run(1, 2);

  lane.dropUnsent();
  await nextTurn();

  expect([ended, recorder.returned]).toEqual([[1], []]);
});
