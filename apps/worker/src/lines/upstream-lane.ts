/**
 * One upstream, as this worker uses it: lines wait here for a slot, are sent, and hand their slot back when the reply is in.
 * A slot is the upstream's, not the job's: recording overlaps with the next sends.
 */
import { setMaxListeners } from "node:events";
import { bodyToSend } from "@nightshift/domain";
import type { Routes, UpstreamClient, UpstreamReply, UpstreamSettings } from "@nightshift/upstream";
import type { Clock } from "../deps.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { Recorder } from "../results/recorder.ts";
import type { ByteBudget, ReplyBytes } from "./byte-budget.ts";
import { createClaimRoom, type ClaimRoom } from "./claim-room.ts";
import { idempotencyKey, type LineTask } from "./line-task.ts";
import { outcomeOf, type Outcome } from "./outcome.ts";
import { createPooledRandom } from "./pooled-random.ts";
import { createUnsentLines, type UnsentLine } from "./unsent-lines.ts";
import type { UpstreamLease } from "./upstream-lease.ts";

export interface UpstreamLane {
  readonly name: string;
  readonly room: ClaimRoom;
  /** Resolves when every task is recorded, returned to the ledger, or dropped. */
  run(tasks: readonly LineTask[]): Promise<void>;
  /** Gives unsent lines back to the ledger: all, or those that `which` picks. They may be taken again after `delayMs`. */
  giveBackUnsent(delayMs: number, which?: (task: LineTask) => boolean): void;
  /** Gives unsent lines back where this worker has had no permit for seconds: others are busy, and will take them. */
  giveBackIfStarved(): void;
  /** Forgets unsent lines without a word to the ledger: their owner was declared dead, and others have them. */
  dropUnsent(): void;
  /** Sends nothing more; what is unsent goes back. Resolves when nothing is in flight. */
  drain(): Promise<void>;
  /** Breaks off what is in flight, of one batch or of all: nobody waits for it any more. Its slots are free at once. */
  breakOff(batchNo?: number): void;
  /** Numbers of the batches with lines in hand. */
  batches(): number[];
  /** True while lines of that batch are in hand and have no reply yet. */
  holds(batchNo: number): boolean;
  inFlight(): number;
  /** Sends what may be sent now. */
  pump(): void;
}

export interface UpstreamLaneDeps {
  readonly settings: UpstreamSettings;
  readonly client: UpstreamClient;
  readonly routes: Routes;
  readonly recorder: Recorder;
  readonly budget: ByteBudget;
  readonly lease: UpstreamLease;
  readonly metrics: WorkerMetrics;
  readonly clock: Clock;
}

interface BatchInHand {
  /** Lines without a reply, sent or not. */
  lines: number;
  /** Breaks off those that are sent. */
  readonly inFlight: AbortController;
}

/** Each line in flight listens to the same signal. */
function openSwitch(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** A pause shorter than this is sat out with the lines in hand. */
const SHORT_PAUSE_MS = 1_000;

/** With more workers than permits some have none: their lines wait no longer than this. */
const STARVED_MS = 3_000;

export function createUpstreamLane(deps: UpstreamLaneDeps): UpstreamLane {
  const { lease, recorder, settings } = deps;
  const unsent = createUnsentLines();
  const random = createPooledRandom();
  const inHand = new Map<number, BatchInHand>();
  let inFlight = 0;
  let unrecorded = 0;
  let isDraining = false;
  let starvedSince: number | null = null;
  const waitingForQuiet: (() => void)[] = [];

  const room = createClaimRoom({
    permits: () => lease.permits(),
    unsent: () => ({ count: unsent.count(), bytes: unsent.bytes() }),
    unrecorded: () => unrecorded,
    isClosed: () => isDraining || lease.pausedMs() > 0,
    onChange: () => {
      pump();
    },
  });

  const hold = ({ slice }: LineTask): void => {
    const batch = inHand.get(slice.batchNo) ?? { lines: 0, inFlight: openSwitch() };
    batch.lines += 1;
    inHand.set(slice.batchNo, batch);
  };
  const letGo = ({ slice }: LineTask): void => {
    const batch = inHand.get(slice.batchNo);
    if (batch === undefined) return;
    batch.lines -= 1;
    if (batch.lines === 0) inHand.delete(slice.batchNo);
  };

  const maySend = (): boolean => !isDraining && !deps.budget.isExhausted() && lease.mayTake(inFlight);

  const pump = (): void => {
    while (unsent.count() > 0 && maySend()) {
      const line = unsent.next();
      if (line === undefined) break;
      inFlight += 1;
      void send(line);
    }
    room.wake();
    lease.report({ unsent: unsent.count(), inFlight, waiting: room.waiting() });
  };

  const send = async ({ task, settle }: UnsentLine): Promise<void> => {
    const held = deps.budget.open();
    // What this function sees stays in memory until the line is recorded: the reply must not be among it.
    const { recorded } = await sendNow(task, held);
    unrecorded += 1;
    await recorded;
    unrecorded -= 1;
    held.release();
    settle();
  };

  /** Resolves when the reply is in and on its way to be recorded. */
  const sendNow = async (task: LineTask, held: ReplyBytes): Promise<{ recorded: Promise<void> }> => {
    const begun = performance.now();
    const signal = inHand.get(task.slice.batchNo)?.inFlight.signal ?? AbortSignal.abort();
    const reply = await exchange(task, held, signal);
    inFlight -= 1;
    held.finish();
    const outcome = outcomeOf(task, reply, {
      maxAttempts: settings.maxAttempts,
      now: deps.clock(),
      random,
      jitter: Math.random,
    });
    lease.noteReply(performance.now() - begun, outcome.kind === "throttled");
    letGo(task);
    const isBrokenOff = signal.aborted && reply.kind === "broken";
    const recorded = isBrokenOff
      ? recorder.giveBack({ task, hasBurnedAttempt: false, delayMs: 0 })
      : settleLine(task, outcome);
    pump();
    if (inFlight === 0) for (const wake of waitingForQuiet.splice(0)) wake();
    return { recorded };
  };

  const exchange = (task: LineTask, held: ReplyBytes, signal: AbortSignal): Promise<UpstreamReply> => {
    const route = task.request.model === null ? null : deps.routes.resolve(task.request.model);
    return deps.client.send({
      endpoint: task.slice.endpoint,
      body: bodyToSend(task.request, route?.model ?? null),
      idempotencyKey: idempotencyKey(task),
      signal,
      onBytes: (n) => held.take(n),
    });
  };

  const settleLine = (task: LineTask, outcome: Outcome): Promise<void> => {
    switch (outcome.kind) {
      case "done":
        return recorder.finish({ task, outcome });
      case "next_attempt":
        deps.metrics.lineReturned(settings.name, "next_attempt");
        return recorder.giveBack({ task, hasBurnedAttempt: true, delayMs: outcome.delayMs });
      case "throttled":
        deps.metrics.lineReturned(settings.name, "throttled");
        lease.pause(outcome.pauseMs);
        if (outcome.pauseMs >= SHORT_PAUSE_MS) giveBackUnsent(outcome.pauseMs);
        return recorder.giveBack({ task, hasBurnedAttempt: false, delayMs: outcome.pauseMs });
    }
  };

  const takeUnsent = (which: (task: LineTask) => boolean): UnsentLine[] => {
    const taken = unsent.take(which);
    for (const { task } of taken) letGo(task);
    return taken;
  };

  const giveBackUnsent = (delayMs: number, which: (task: LineTask) => boolean = () => true): void => {
    for (const { task, settle } of takeUnsent(which)) {
      void recorder.giveBack({ task, hasBurnedAttempt: false, delayMs }).then(settle);
    }
  };

  return {
    name: settings.name,
    room,
    async run(tasks) {
      room.noteSlice(tasks.length);
      const settled = tasks.map(
        (task) =>
          new Promise<void>((settle) => {
            hold(task);
            unsent.add({ task, settle });
          }),
      );
      if (isDraining) giveBackUnsent(0);
      else pump();
      await Promise.all(settled);
    },
    giveBackUnsent,
    giveBackIfStarved() {
      if (lease.permits() > 0 || inFlight > 0 || unsent.count() === 0 || lease.pausedMs() > 0) starvedSince = null;
      else starvedSince ??= performance.now();
      if (starvedSince === null || performance.now() - starvedSince < STARVED_MS) return;
      starvedSince = null;
      giveBackUnsent(STARVED_MS);
    },
    dropUnsent() {
      for (const { settle } of takeUnsent(() => true)) settle();
    },
    drain() {
      isDraining = true;
      giveBackUnsent(0);
      recorder.flushNow();
      if (inFlight === 0) return Promise.resolve();
      return new Promise((resolve) => waitingForQuiet.push(resolve));
    },
    breakOff(only) {
      for (const [batchNo, { inFlight }] of inHand) if (only === undefined || only === batchNo) inFlight.abort();
    },
    batches: () => [...inHand.keys()],
    holds: (batchNo) => inHand.has(batchNo),
    inFlight: () => inFlight,
    pump,
  };
}
