/**
 * One upstream, as this worker uses it: lines wait here for a slot, are sent, and hand their slot back when the reply is in.
 * A slot is the upstream's, not the job's: recording overlaps with the next sends.
 */
import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { bodyToSend } from "@nightshift/domain";
import type { Reply, Routes, UpstreamClient, UpstreamSettings } from "@nightshift/upstream";
import type { Clock } from "../deps.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { Recorder } from "../results/recorder.ts";
import type { ByteBudget, ReplyBytes } from "./byte-budget.ts";
import { idempotencyKey, type LineTask } from "./line-task.ts";
import { outcomeOf, type Outcome } from "./outcome.ts";
import type { UpstreamLease } from "./upstream-lease.ts";

export interface UpstreamLane {
  readonly name: string;
  /** Resolves when every task is recorded, returned to the ledger, or dropped. */
  run(tasks: readonly LineTask[]): Promise<void>;
  /**
   * Resolves when this worker may claim another slice, and reserves room for it: `release` ends the reservation once the
   * claim's lines are in hand, or there are none. Resolves with null when `signal` aborts first.
   */
  room(signal: AbortSignal): Promise<RoomReservation | null>;
  /** Slices that this worker can use at once, as a number of jobs to take from the queue. */
  wantedSlices(): number;
  /** Gives unsent lines back to the ledger: all, or those that `which` picks. They may be taken again after `delayMs`. */
  giveBackUnsent(delayMs: number, which?: (task: LineTask) => boolean): void;
  /** Forgets unsent lines without a word to the ledger: their owner was declared dead, and others have them. */
  dropUnsent(): void;
  /** Sends nothing more; what is unsent goes back. Resolves when nothing is in flight. */
  drain(): Promise<void>;
  /** Breaks off what is in flight: the grace is over. */
  abort(): void;
  /** Numbers of the batches with lines in hand. */
  batches(): number[];
  /** True while lines of that batch are in hand and have no reply yet. */
  holds(batch: number): boolean;
  inFlight(): number;
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

export interface RoomReservation {
  release(): void;
}

/** Bytes of unsent lines beyond which no further slice is claimed. */
const MAX_UNSENT_BYTES = 32 * 1024 * 1024;
/** Unsent lines in units of the permits held. */
const UNSENT_PER_PERMIT = 2;
/** Slices taken from the queue at once, whatever the permits. */
const MIN_SLICES = 2;
const MAX_SLICES = 1_024;
/** Weight of the newest slice in the running mean of their sizes. */
const NEWEST_SLICE = 0.2;
/** A pause shorter than this is sat out with the lines in hand. */
const SHORT_PAUSE_MS = 1_000;

interface WaitingLine {
  readonly task: LineTask;
  readonly settle: () => void;
}

export function createUpstreamLane(deps: UpstreamLaneDeps): UpstreamLane {
  const { lease, recorder, settings } = deps;
  const abort = new AbortController();
  // Each line in flight listens to it.
  setMaxListeners(0, abort.signal);
  const unsent: WaitingLine[] = [];
  let unsentBytes = 0;
  let inFlight = 0;
  let isDraining = false;
  const inHand = new Map<number, number>();
  const waitingForRoom = new Set<() => void>();
  let claiming = 0;
  let linesPerSlice = 1;
  const waitingForQuiet: (() => void)[] = [];

  const hold = (task: LineTask): void => {
    inHand.set(task.slice.batch, (inHand.get(task.slice.batch) ?? 0) + 1);
  };
  const letGo = (task: LineTask): void => {
    const left = (inHand.get(task.slice.batch) ?? 1) - 1;
    if (left === 0) inHand.delete(task.slice.batch);
    else inHand.set(task.slice.batch, left);
  };

  const hasRoom = (): boolean => {
    if (isDraining || lease.pausedMs() > 0) return false;
    if (unsent.length === 0 && claiming === 0) return true;
    const expected = unsent.length + claiming * linesPerSlice;
    return expected < UNSENT_PER_PERMIT * lease.permits() && unsentBytes < MAX_UNSENT_BYTES;
  };

  const reserve = (): RoomReservation => {
    claiming += 1;
    let isReleased = false;
    return {
      release() {
        if (isReleased) return;
        isReleased = true;
        claiming -= 1;
        pump();
      },
    };
  };

  const wakeWaiting = (): void => {
    for (const wake of waitingForRoom) {
      if (!hasRoom()) return;
      waitingForRoom.delete(wake);
      wake();
    }
  };

  const pump = (): void => {
    while (unsent.length > 0 && !isDraining && !deps.budget.isExhausted() && lease.mayTake(inFlight)) {
      const next = unsent.shift();
      if (next === undefined) break;
      unsentBytes -= next.task.byteLength;
      inFlight += 1;
      void send(next);
    }
    wakeWaiting();
    lease.report({ unsent: unsent.length, inFlight, waiting: waitingForRoom.size });
  };

  const send = async ({ task, settle }: WaitingLine): Promise<void> => {
    const held = deps.budget.open();
    const begun = performance.now();
    const reply = await exchange(task, held);
    inFlight -= 1;
    held.finish();
    const outcome = outcomeOf(task, reply, {
      maxAttempts: settings.maxAttempts,
      now: deps.clock(),
      random: randomBytes,
      jitter: Math.random,
    });
    lease.noteReply(performance.now() - begun, outcome.kind === "throttled");
    letGo(task);
    const recorded = settleLine(task, reply, outcome);
    pump();
    if (inFlight === 0) for (const wake of waitingForQuiet.splice(0)) wake();
    await recorded;
    held.release();
    settle();
  };

  const exchange = async (task: LineTask, held: ReplyBytes): Promise<Reply> => {
    const route = task.request.model === null ? null : deps.routes.resolve(task.request.model);
    return deps.client.send({
      endpoint: task.slice.endpoint,
      body: bodyToSend(task.request, route?.model ?? null),
      idempotencyKey: idempotencyKey(task),
      signal: abort.signal,
      onBytes: (n) => held.take(n),
    });
  };

  const settleLine = (task: LineTask, reply: Reply, outcome: Outcome): Promise<void> => {
    if (abort.signal.aborted && reply.kind === "broken") {
      return recorder.giveBack({ task, hasBurnedAttempt: false, delayMs: 0 });
    }
    switch (outcome.kind) {
      case "done":
        return recorder.finish({ task, outcome });
      case "retry":
        deps.metrics.lineReturned(settings.name, "retry");
        return recorder.giveBack({ task, hasBurnedAttempt: true, delayMs: outcome.delayMs });
      case "throttled":
        deps.metrics.lineReturned(settings.name, "throttled");
        lease.pause(outcome.pauseMs);
        if (outcome.pauseMs >= SHORT_PAUSE_MS) giveBackUnsent(outcome.pauseMs);
        return recorder.giveBack({ task, hasBurnedAttempt: false, delayMs: outcome.pauseMs });
    }
  };

  /** Lines of small batches stand before all bulk. */
  const queueUp = (line: WaitingLine): void => {
    unsentBytes += line.task.byteLength;
    if (line.task.slice.isBulk) {
      unsent.push(line);
      return;
    }
    const firstBulk = unsent.findIndex(({ task }) => task.slice.isBulk);
    unsent.splice(firstBulk < 0 ? unsent.length : firstBulk, 0, line);
  };

  const takeUnsent = (which: (task: LineTask) => boolean): WaitingLine[] => {
    const taken = unsent.filter(({ task }) => which(task));
    if (taken.length === 0) return taken;
    const left = unsent.filter(({ task }) => !which(task));
    unsent.splice(0, unsent.length, ...left);
    for (const { task } of taken) {
      unsentBytes -= task.byteLength;
      letGo(task);
    }
    return taken;
  };

  const giveBackUnsent = (delayMs: number, which: (task: LineTask) => boolean = () => true): void => {
    for (const { task, settle } of takeUnsent(which)) {
      void recorder.giveBack({ task, hasBurnedAttempt: false, delayMs }).then(settle);
    }
  };

  return {
    name: settings.name,
    async run(tasks) {
      linesPerSlice = linesPerSlice * (1 - NEWEST_SLICE) + tasks.length * NEWEST_SLICE;
      const settled = tasks.map(
        (task) =>
          new Promise<void>((settle) => {
            hold(task);
            queueUp({ task, settle });
          }),
      );
      if (isDraining) giveBackUnsent(0);
      else pump();
      await Promise.all(settled);
    },
    wantedSlices() {
      const lines = (1 + UNSENT_PER_PERMIT) * lease.permits();
      return Math.max(MIN_SLICES, Math.min(MAX_SLICES, Math.ceil(lines / Math.max(1, linesPerSlice)) + 1));
    },
    room(signal) {
      if (signal.aborted) return Promise.resolve(null);
      if (waitingForRoom.size === 0 && hasRoom()) return Promise.resolve(reserve());
      return new Promise((resolve) => {
        const wake = (): void => {
          signal.removeEventListener("abort", onAbort);
          resolve(reserve());
        };
        const onAbort = (): void => {
          waitingForRoom.delete(wake);
          resolve(null);
        };
        signal.addEventListener("abort", onAbort, { once: true });
        waitingForRoom.add(wake);
        pump();
      });
    },
    giveBackUnsent,
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
    abort: () => {
      abort.abort(new Error("the grace is over"));
    },
    batches: () => [...inHand.keys()],
    holds: (batch) => inHand.has(batch),
    inFlight: () => inFlight,
    pump,
  };
}
