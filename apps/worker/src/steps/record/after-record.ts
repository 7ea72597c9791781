/**
 * Starts the work that follows a commit of results. If a job is lost here, the reconciler enqueues it from Postgres.
 */
import type { Recorded } from "@nightshift/db";
import type { DirectSteps } from "../../direct-steps.ts";
import type { WorkerMetrics } from "../../metrics.ts";
import type { Scheduler } from "../../scheduler.ts";
import type { WrittenLine } from "./lines.ts";

export interface AfterRecordDeps {
  readonly scheduler: Scheduler;
  readonly directSteps: Pick<DirectSteps, "advance">;
  readonly metrics: Pick<WorkerMetrics, "lineRecorded">;
}

/**
 * Enqueues returned slices, advances sealed batches, counts the lines, and feeds the upstreams that have room again.
 */
export function afterRecord(deps: AfterRecordDeps, recorded: Recorded, finished: readonly WrittenLine[]): void {
  const { scheduler, directSteps } = deps;
  void scheduler.enqueueSlices(recorded.slices);
  const small = new Set(finished.filter(({ task }) => !task.slice.isBulk).map(({ task }) => task.slice.batchNo));
  for (const batchNo of [...recorded.sealed, ...recorded.retried]) {
    // A small batch gets no job. If this worker dies now, the reconciler advances the batch.
    if (small.has(batchNo)) directSteps.advance(batchNo);
    else scheduler.advanceSoon(batchNo);
  }
  for (const line of finished) countLine(deps, line);
  for (const upstream of new Set(finished.map((line) => line.task.slice.upstream))) scheduler.feedSoon(upstream);
}

function countLine({ scheduler, metrics }: AfterRecordDeps, { task, outcome }: WrittenLine): void {
  const { upstream, batchNo, batchId, requestGen } = task.slice;
  const reason = outcome.exhaustedBy;
  if (reason === null) {
    metrics.lineRecorded(upstream, outcome.resultKind === "output" ? "completed" : "failed");
    return;
  }
  metrics.lineRecorded(upstream, "exhausted");
  scheduler.parkFailedLine({
    batch_no: batchNo,
    batch_id: batchId,
    line: task.line,
    request_gen: requestGen,
    reason,
  });
}
