/** A watched batch as the data of a progress event: ours, docs/extensions.md. */
import type { ProgressEvent } from "@nightshift/domain";
import type { WatchedBatch } from "../watch/batch-watch.ts";
import { presentCounts } from "./batch.ts";

/** What is told of the batch; `now` is the time of the clock that its timestamps are of. */
export function presentProgress(batch: WatchedBatch, now: Date): ProgressEvent {
  const perSecond = batch.linesPerSecond ?? averageOf(batch, now);
  const left = batch.total - batch.completed - batch.failed;
  return {
    object: "batch.progress",
    batch_id: batch.id,
    status: batch.status,
    request_counts: presentCounts(batch),
    lines_per_second: Math.round(perSecond * 10) / 10,
    eta_seconds: batch.status === "in_progress" && perSecond > 0 ? Math.ceil(left / perSecond) : null,
    waiting: waitsFor(batch),
  };
}

function averageOf({ inProgressAt, completed, failed }: WatchedBatch, now: Date): number {
  if (inProgressAt === null) return 0;
  const seconds = (now.getTime() - inProgressAt.getTime()) / 1000;
  return seconds > 0 ? (completed + failed) / seconds : 0;
}

/** Why a batch gets nowhere at the moment. */
function waitsFor(batch: WatchedBatch): string | null {
  const isWaiting = batch.status === "validating" || batch.status === "in_progress";
  if (isWaiting && !batch.hasWorkers) return "no worker is running";
  if (batch.isQueued) return "concurrent_batches: the tenant has as many batches running as its tier allows";
  if (batch.status !== "in_progress" || batch.completed + batch.failed === batch.total) return null;
  if (batch.pausedUntil !== null) return `the upstream is paused until ${batch.pausedUntil.toISOString()}`;
  if (batch.isInHand) return null;
  if (batch.dueAt !== null) return `its lines are tried again from ${batch.dueAt.toISOString()} on`;
  return "waiting for a turn at the upstream";
}
