/** Sends one failed line of a batch again, for an admin who asked for it: what a retry by its owner does. */
import { getBatch } from "@nightshift/db";
import { RequestError } from "@nightshift/domain";
import type { LineFailedPayload } from "@nightshift/queue";
import { retryLines, type RetryLinesDeps } from "../retry/retry-lines.ts";

export type RetryLineDeps = RetryLinesDeps;

/** The line cannot be sent again; the message is shown in the dashboard. */
export class RetryRefusedError extends Error {
  override readonly name = "RetryRefusedError";
  /** The status of the dashboard's answer. */
  readonly statusCode = 409;
}

/**
 * Resolves also where the line is running again or has a good result by now. Throws RetryRefusedError where it cannot be
 * sent again.
 */
export async function retryLine(deps: RetryLineDeps, failed: LineFailedPayload, askedBy: string): Promise<void> {
  const batch = await getBatch(deps.db, failed.batch_no);
  if (batch === null || failed.line >= batch.total) throw refusal(failed, "there is no such request.");
  try {
    await retryLines(deps, batch, new Set([failed.line]), askedBy);
  } catch (error) {
    if (error instanceof RequestError && error.facts.kind === "conflict") throw refusal(failed, error.message);
    throw error;
  }
}

/** Lines count from 0 in the ledger and from 1 for people. */
function refusal({ batch_id: batchId, line }: LineFailedPayload, reason: string): RetryRefusedError {
  return new RetryRefusedError(`Request ${String(line + 1)} of ${batchId} cannot be retried: ${reason}`);
}
