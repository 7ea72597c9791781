/** Tests when lines are sent, and when their slots and bytes are free again. */
import { expect, test } from "@jest/globals";
import type { UpstreamReply } from "@nightshift/upstream";
import { createFakeLease, nextTurn } from "../../../test/lane-fixture.ts";
import { claimed, tasksOfSlice } from "../../../test/line-fixture.ts";
import { createByteBudget, type ReplyBytes } from "./byte-budget.ts";
import { createClaimRoom } from "./claim-room.ts";
import type { LineTask } from "./line-task.ts";
import { createLinesInHand } from "./lines-in-hand.ts";
import { createSendLoop } from "./send-loop.ts";
import { createUnsentLines } from "./unsent-lines.ts";

const REPLY: UpstreamReply = {
  kind: "answer",
  status: 200,
  body: Buffer.from("{}"),
  requestId: null,
  retryAfterMs: null,
};

interface Sent {
  readonly line: number;
  readonly held: ReplyBytes;
  readonly signal: AbortSignal;
  readonly reply: () => Promise<void>;
}

function start(permits: number) {
  const unsent = createUnsentLines();
  const inHand = createLinesInHand();
  const lease = createFakeLease(permits);
  const budget = createByteBudget(1_000);
  const room = createClaimRoom({ unsent, lease: lease.lease });
  const sent: Sent[] = [];
  const replies: { readonly line: number; readonly wasAborted: boolean; readonly commit: () => Promise<void> }[] = [];
  const settled: number[] = [];
  const exchange = (task: LineTask, held: ReplyBytes, signal: AbortSignal): Promise<UpstreamReply> =>
    new Promise((resolve) => {
      const reply = (): Promise<void> => {
        resolve(REPLY);
        return nextTurn();
      };
      sent.push({ line: task.line, held, signal, reply });
    });
  const settle = (task: LineTask, _reply: UpstreamReply, _tookMs: number, wasAborted: boolean): Promise<void> =>
    new Promise((resolve) => {
      const commit = (): Promise<void> => {
        resolve();
        return nextTurn();
      };
      replies.push({ line: task.line, wasAborted, commit });
    });
  const loop = createSendLoop({ unsent, inHand, room, lease: lease.lease, budget, exchange, settle });
  const add = (lineCount: number): void => {
    for (const task of tasksOfSlice(claimed({ lineCount }))) {
      inHand.add(task.slice.batchNo);
      unsent.add({ task, settle: () => settled.push(task.line) });
    }
    loop.pump();
  };
  const linesSent = (): number[] => sent.map(({ line }) => line);
  return { unsent, inHand, lease, budget, room, sent, replies, settled, loop, add, linesSent };
}

test("sends as many lines as the lease allows, and reports the cost of the unsent lines", () => {
  const { lease, loop, add, linesSent } = start(2);

  add(5);

  expect(linesSent()).toEqual([0, 1]);
  expect(loop.inFlight()).toBe(2);
  expect(lease.slotsInUse).toBe(2);
  expect(lease.loads.at(-1)).toEqual({ unsent: { requests: 3, slots: 3 }, waitingSlices: 0 });
});

test("asks the lease for the cost of the next line", () => {
  const { unsent, inHand, loop, linesSent } = start(3);
  const [light, heavy] = tasksOfSlice(claimed({ lineCount: 2 }));
  for (const task of [
    { ...light!, cost: { requests: 1, slots: 2 } },
    { ...heavy!, cost: { requests: 1, slots: 2 } },
  ]) {
    inHand.add(1);
    unsent.add({ task, settle: () => undefined });
  }

  loop.pump();

  expect(linesSent()).toEqual([0]);
});

test("sends the next line when a reply has arrived, before its result is recorded", async () => {
  const { lease, sent, replies, settled, add, linesSent } = start(1);
  add(2);

  await sent[0]?.reply();

  expect(linesSent()).toEqual([0, 1]);
  expect(lease.slotsInUse).toBe(1);
  expect(settled).toEqual([]);
  await replies[0]?.commit();
  expect(settled).toEqual([0]);
});

test("sends more lines when the lease grants more", () => {
  const { lease, add, linesSent } = start(0);
  add(3);
  expect(linesSent()).toEqual([]);

  lease.grant(2);

  expect(linesSent()).toEqual([0, 1]);
});

test("sends nothing while the byte budget is exhausted, and continues when a result is recorded", async () => {
  const { budget, sent, replies, add, linesSent } = start(1);
  add(2);
  void sent[0]?.held.take(1_000);
  await sent[0]?.reply();
  expect(linesSent()).toEqual([0]);

  await replies[0]?.commit();

  expect(linesSent()).toEqual([0, 1]);
  expect(budget.held()).toBe(0);
});

test("admits a waiting slice when the lines before it are sent", async () => {
  const { lease, room, add } = start(0);
  add(1);
  const reservation = room.wait(new AbortController().signal);
  expect(lease.loads.at(-1)).toMatchObject({ waitingSlices: 1 });

  lease.grant(1);

  expect(await reservation).not.toBeNull();
});

test("counts a line as in hand until its reply arrives", async () => {
  const { inHand, sent, add } = start(2);
  add(2);
  await sent[0]?.reply();
  expect(inHand.has(1)).toBe(true);

  await sent[1]?.reply();

  expect(inHand.has(1)).toBe(false);
});

test("tells whether the worker itself aborted the exchange", async () => {
  const { inHand, sent, replies, add } = start(2);
  add(2);
  await sent[0]?.reply();
  inHand.abort(1);

  await sent[1]?.reply();

  expect(replies.map(({ line, wasAborted }) => [line, wasAborted])).toEqual([
    [0, false],
    [1, true],
  ]);
});

test("sends nothing after it is closed, and is idle when the last reply has arrived", async () => {
  const { sent, loop, add, linesSent } = start(1);
  add(2);
  loop.close();
  let isIdle = false;
  const idle = loop.idle().then(() => {
    isIdle = true;
  });
  await nextTurn();
  expect(isIdle).toBe(false);

  await sent[0]?.reply();
  await idle;

  expect(linesSent()).toEqual([0]);
  await expect(loop.idle()).resolves.toBeUndefined();
});
