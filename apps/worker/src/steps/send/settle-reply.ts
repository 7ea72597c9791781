/** Turns a reply into an outcome. Sends results and returned lines to the recorder, and reports pauses to the lease. */
import type { RandomBytes } from "@nightshift/domain";
import type { UpstreamReply, UpstreamSettings } from "@nightshift/upstream";
import type { Clock } from "../../deps.ts";
import type { WorkerMetrics } from "../../metrics.ts";
import type { Recorder } from "../record/recorder.ts";
import type { GiveBack } from "./give-back.ts";
import type { LineTask } from "./line-task.ts";
import { outcomeOf, type Outcome } from "./outcome.ts";
import type { UpstreamLease } from "./upstream-lease.ts";

export interface SettleDeps {
  readonly settings: Pick<UpstreamSettings, "name" | "maxAttempts">;
  readonly recorder: Pick<Recorder, "finish" | "giveBack">;
  readonly lease: Pick<UpstreamLease, "noteReply" | "pause">;
  readonly giveBack: Pick<GiveBack, "toLedger">;
  readonly metrics: Pick<WorkerMetrics, "lineReturned">;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

/** During a shorter pause, unsent lines stay with this worker. */
const SHORT_PAUSE_MS = 1_000;

/**
 * Resolves when the result or the returned line is in the ledger. `wasAborted` is true if the worker itself ended the
 * exchange.
 */
export function settleReply(
  deps: SettleDeps,
  task: LineTask,
  reply: UpstreamReply,
  tookMs: number,
  wasAborted: boolean,
): Promise<void> {
  const outcome = outcomeOf(task, reply, {
    maxAttempts: deps.settings.maxAttempts,
    now: deps.clock(),
    random: deps.random,
    jitter: Math.random,
  });
  deps.lease.noteReply(tookMs, outcome.kind === "throttled");
  // A reply that was complete before the abort still counts.
  if (wasAborted && reply.kind === "broken") {
    return deps.recorder.giveBack({ task, hasBurnedAttempt: false, delayMs: 0 });
  }
  return settleOutcome(deps, task, outcome);
}

function settleOutcome(deps: SettleDeps, task: LineTask, outcome: Outcome): Promise<void> {
  const { giveBack, lease, metrics, recorder, settings } = deps;
  switch (outcome.kind) {
    case "done":
      return recorder.finish({ task, outcome });
    case "next_attempt":
      metrics.lineReturned(settings.name, "next_attempt");
      return recorder.giveBack({ task, hasBurnedAttempt: true, delayMs: outcome.delayMs });
    case "throttled":
      metrics.lineReturned(settings.name, "throttled");
      lease.pause(outcome.pauseMs);
      if (outcome.pauseMs >= SHORT_PAUSE_MS) giveBack.toLedger(outcome.pauseMs);
      return recorder.giveBack({ task, hasBurnedAttempt: false, delayMs: outcome.pauseMs });
  }
}
