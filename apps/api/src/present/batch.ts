/** Turns the row of a batch into the Batch object: contract §3.1. */
import type { BatchView } from "@nightshift/db";
import { type BatchError, type BatchObject, isFinal, NO_TOKENS, presentUsage } from "@nightshift/domain";
import { toSeconds, toSecondsOrNull } from "./seconds.ts";

/** Returns a Batch object with every key, in the order of OpenAI, with explicit nulls. */
export function presentBatch(batch: BatchView): BatchObject {
  return {
    id: batch.id,
    object: "batch",
    endpoint: batch.endpoint,
    model: batch.model,
    errors: batch.status === "failed" ? presentErrors(batch.errors ?? []) : null,
    input_file_id: batch.inputFileId,
    completion_window: batch.completionWindow,
    status: batch.status,
    output_file_id: batch.outputFileId,
    error_file_id: batch.errorFileId,
    created_at: toSeconds(batch.createdAt),
    in_progress_at: toSecondsOrNull(batch.inProgressAt),
    expires_at: toSeconds(batch.deadline),
    finalizing_at: toSecondsOrNull(batch.finalizingAt),
    completed_at: toSecondsOrNull(batch.completedAt),
    failed_at: toSecondsOrNull(batch.failedAt),
    expired_at: toSecondsOrNull(batch.expiredAt),
    cancelling_at: toSecondsOrNull(batch.cancellingAt),
    cancelled_at: toSecondsOrNull(batch.cancelledAt),
    request_counts: presentCounts(batch),
    // OpenAI fills the usage at completion, so a running batch shows zeros although its counts grow.
    usage: presentUsage(isFinal(batch.status) ? batch.usage : NO_TOKENS),
    metadata: batch.metadata,
  };
}

/** Restores the order of keys, which jsonb in Postgres does not keep. */
function presentErrors(errors: readonly BatchError[]): BatchObject["errors"] {
  return { object: "list", data: errors.map(({ code, message, param, line }) => ({ code, message, param, line })) };
}

/** The fields of a batch that its counts depend on. */
type Counted = Pick<BatchView, "inProgressAt" | "total" | "completed" | "failed">;

/** Returns zeros until the input is valid, and also for a batch whose input never becomes valid. */
export function presentCounts(batch: Counted): BatchObject["request_counts"] {
  if (batch.inProgressAt === null) return { total: 0, completed: 0, failed: 0 };
  return { total: batch.total, completed: batch.completed, failed: batch.failed };
}
