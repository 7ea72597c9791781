/** Retries one failed line of a batch for an admin, like a retry by the owner of the batch. */
import { getBatch } from "@nightshift/db";
import { RequestError } from "@nightshift/domain";
import type { LineFailedPayload } from "@nightshift/queue";
import { retryLines, type RetryLinesDeps } from "../retry/retry-lines.ts";

export type RetryLineDeps = RetryLinesDeps;

/** The line cannot be retried. The dashboard shows the message. */
export class RetryRefusedError extends Error {
  override readonly name = "RetryRefusedError";
  /** The status of the reply to the dashboard. */
  readonly statusCode = 409;
}

/**
 * Also resolves if the line is already running again or has succeeded. Rejects with RetryRefusedError if it cannot be
 * retried.
 */
export async function retryLine(deps: RetryLineDeps, failed: LineFailedPayload, requestedBy: string): Promise<void> {
  const batch = await getBatch(deps.db, failed.batch_no);
  if (batch === null || failed.line >= batch.total) throw refusal(failed, "the request does not exist.");
  try {
    await retryLines(deps, batch, new Set([failed.line]), requestedBy);
  } catch (error) {
    if (error instanceof RequestError && error.facts.kind === "conflict") throw refusal(failed, error.message);
    throw error;
  }
}

/** Lines count from 0 in the ledger and from 1 in messages. */
function refusal({ batch_id: batchId, line }: LineFailedPayload, reason: string): RetryRefusedError {
  return new RetryRefusedError(`Request ${String(line + 1)} of ${batchId} cannot be retried: ${reason}`);
}
