/** One upstream as one worker uses it: holds claimed lines, sends them within the lease, and passes on the replies. */
import { bodyToSend } from "@nightshift/domain";
import type { UpstreamReply, Routes, UpstreamClient, UpstreamSettings } from "@nightshift/upstream";
import type { Clock } from "../../deps.ts";
import type { WorkerMetrics } from "../../metrics.ts";
import type { Recorder } from "../record/recorder.ts";
import type { ByteBudget, ReplyBytes } from "./byte-budget.ts";
import { createClaimRoom, type ClaimRoom } from "./claim-room.ts";
import { createGiveBack } from "./give-back.ts";
import { idempotencyKey, type LineTask } from "./line-task.ts";
import type { LinesInHand } from "./lines-in-hand.ts";
import { createPooledRandom } from "./pooled-random.ts";
import { createSendLoop } from "./send-loop.ts";
import { settleReply } from "./settle-reply.ts";
import { createUnsentLines } from "./unsent-lines.ts";
import type { UpstreamLease } from "./upstream-lease.ts";

export interface UpstreamLane {
  readonly name: string;
  readonly room: ClaimRoom;
  /** Resolves when every task is recorded, back in the ledger, or dropped. */
  run(tasks: readonly LineTask[]): Promise<void>;
  /**
   * Returns all unsent lines, or the lines that `matches` picks, to the ledger. They can be claimed after `delayMs`.
   */
  giveBackUnsent(delayMs: number, matches?: (task: LineTask) => boolean): void;
  /**
   * Returns unsent lines to the ledger if this worker has had no permit for 3 s, so that workers with permits send
   * them.
   */
  giveBackIfStarved(): void;
  /** Drops unsent lines without telling the ledger: their owner was declared dead, and other workers have the lines. */
  dropUnsent(): void;
  /** Stops sending, and returns unsent lines to the ledger. Resolves when nothing is in flight. */
  drain(): Promise<void>;
  inFlight(): number;
}

export interface UpstreamLaneDeps {
  readonly settings: UpstreamSettings;
  readonly client: Pick<UpstreamClient, "send">;
  readonly routes: Pick<Routes, "resolve">;
  readonly recorder: Pick<Recorder, "finish" | "giveBack" | "flushNow">;
  readonly budget: ByteBudget;
  readonly inHand: LinesInHand;
  readonly lease: UpstreamLease;
  readonly metrics: Pick<WorkerMetrics, "lineReturned">;
  readonly clock: Clock;
}

export function createUpstreamLane(deps: UpstreamLaneDeps): UpstreamLane {
  const { budget, clock, inHand, lease, metrics, recorder, settings } = deps;
  const unsent = createUnsentLines();
  const room = createClaimRoom({ unsent, lease });
  const giveBack = createGiveBack({ unsent, inHand, recorder, lease });
  const settling = { settings, recorder, lease, giveBack, metrics, clock, random: createPooledRandom() };
  const loop = createSendLoop({
    unsent,
    inHand,
    room,
    lease,
    budget,
    exchange: (task, held, signal) => exchange(deps, task, held, signal),
    settle: (task, reply, tookMs, wasAborted) => settleReply(settling, task, reply, tookMs, wasAborted),
  });

  return {
    name: settings.name,
    room,
    async run(tasks) {
      room.noteSlice(tasks.length);
      const settled = tasks.map(
        (task) =>
          new Promise<void>((settle) => {
            inHand.add(task.slice.batchNo);
            unsent.add({ task, settle });
          }),
      );
      if (loop.isClosed()) giveBack.toLedger(0);
      else loop.pump();
      await Promise.all(settled);
    },
    giveBackUnsent(delayMs, matches) {
      giveBack.toLedger(delayMs, matches);
    },
    giveBackIfStarved() {
      giveBack.ifStarved(loop.inFlight());
    },
    dropUnsent() {
      giveBack.drop();
    },
    drain() {
      loop.close();
      room.close();
      giveBack.toLedger(0);
      recorder.flushNow();
      return loop.idle();
    },
    inFlight: () => loop.inFlight(),
  };
}

/** Sends the line's own bytes; a route may replace the model's name in them. */
function exchange(
  deps: UpstreamLaneDeps,
  task: LineTask,
  held: ReplyBytes,
  signal: AbortSignal,
): Promise<UpstreamReply> {
  const route = task.request.model === null ? null : deps.routes.resolve(task.request.model);
  return deps.client.send({
    endpoint: task.slice.endpoint,
    body: bodyToSend(task.request, route?.model ?? null),
    idempotencyKey: idempotencyKey(task),
    signal,
    onBytes: (n) => held.take(n),
  });
}
