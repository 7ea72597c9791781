/** Turns a watched batch into the data of a progress event. This is an extension: docs/extensions.md. */
import type { ProgressEvent } from "@nightshift/domain";
import type { WatchedBatch } from "../watch/batch-watch.ts";
import { presentCounts } from "./batch.ts";

/** `now` must come from the same clock as the timestamps of the batch. */
export function presentProgress(batch: WatchedBatch, now: Date): ProgressEvent {
  const perSecond = batch.linesPerSecond ?? averageOf(batch, now);
  const linesLeft = batch.total - batch.completed - batch.failed;
  return {
    object: "batch.progress",
    batch_id: batch.id,
    status: batch.status,
    request_counts: presentCounts(batch),
    lines_per_second: Math.round(perSecond * 10) / 10,
    eta_seconds: batch.status === "in_progress" && perSecond > 0 ? Math.ceil(linesLeft / perSecond) : null,
    waiting: reasonToWait(batch),
  };
}

function averageOf({ inProgressAt, completed, failed }: WatchedBatch, now: Date): number {
  if (inProgressAt === null) return 0;
  const seconds = (now.getTime() - inProgressAt.getTime()) / 1000;
  return seconds > 0 ? (completed + failed) / seconds : 0;
}

/** Returns why the batch makes no progress at the moment, or null if it makes progress. */
function reasonToWait(batch: WatchedBatch): string | null {
  const isWaiting = batch.status === "validating" || batch.status === "in_progress";
  if (isWaiting && !batch.hasWorkers) return "no worker is running";
  if (batch.isQueued) return "concurrent_batches: the tenant is running as many batches as its tier allows";
  if (batch.status !== "in_progress" || batch.completed + batch.failed === batch.total) return null;
  if (batch.pausedUntil !== null) return `the upstream is paused until ${batch.pausedUntil.toISOString()}`;
  if (batch.isInHand) return null;
  if (batch.dueAt !== null) return `the next attempt is at ${batch.dueAt.toISOString()}`;
  return "waiting for a share of the upstream's capacity";
}
