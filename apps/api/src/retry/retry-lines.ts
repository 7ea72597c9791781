/** Retries failed lines of a batch, for the retry endpoint and for the dashboard. */
import { type BatchView, type Db, failedLines, openRetries } from "@nightshift/db";
import { errors, readSpan } from "@nightshift/domain";
import type { JobQueues } from "@nightshift/queue";
import type { Logger } from "@nightshift/service";
import { ObjectNotFoundError, type ObjectStore } from "@nightshift/storage";
import { onObjectStore } from "../objects.ts";

export interface RetryLinesDeps {
  readonly db: Db;
  readonly objects: Pick<ObjectStore, "read">;
  readonly queues: Pick<JobQueues, "enqueue" | "enqueueSlices">;
  readonly logger: Logger;
  readonly clock: () => Date;
}

const RETRYABLE: readonly string[] = ["in_progress", "completed", "expired", "cancelled"];

/**
 * Opens retries in Postgres. That is enough to run the lines again; the jobs only start them sooner. `only` has lines
 * counted from 0; null means all failed lines. Skips lines that have not failed or are already being retried. Resolves
 * with the retried lines. Rejects with a RequestError (409) if the batch cannot be retried.
 */
export async function retryLines(
  deps: RetryLinesDeps,
  batch: BatchView,
  only: ReadonlySet<number> | null,
  askedBy: string,
): Promise<readonly number[]> {
  refuseUnlessRetryable(batch);
  const failed = await failedLines(deps.db, batch);
  const wanted = only === null ? failed : failed.filter((line) => only.has(line));
  if (wanted.length === 0) return [];
  if (batch.indexBlob === null) throw errors.cannotRetryWithout("input");
  const { indexBlob } = batch;
  const index = await onObjectStore(() => deps.objects.read(indexBlob)).catch(rethrowMissingInput);
  const lines = wanted.map((line) => {
    const { offset, length } = readSpan(index, line);
    return { line, byteOffset: offset, byteLength: length };
  });
  const opened = await openRetries(deps.db, { batchNo: batch.batchNo, lines, askedBy }, deps.clock());
  switch (opened.outcome) {
    case "opened":
      await enqueueRetries(deps, opened);
      return opened.lines;
    case "no_such_batch":
      return [];
    case "wrong_state":
      throw errors.cannotRetry(opened.status);
    case "file_gone":
      throw errors.cannotRetryWithout(opened.file);
  }
}

/** Throws a RequestError (409) if the batch is in a state without failed lines. */
export function refuseUnlessRetryable(batch: BatchView): void {
  if (!RETRYABLE.includes(batch.status)) throw errors.cannotRetry(batch.status);
}

/**
 * Rethrows the error, as a RequestError (409) if the input is missing. Maintenance may have deleted it since the batch
 * was read.
 */
export function rethrowMissingInput(error: unknown): never {
  throw error instanceof ObjectNotFoundError ? errors.cannotRetryWithout("input") : error;
}

async function enqueueRetries(
  { queues, logger }: RetryLinesDeps,
  opened: Extract<Awaited<ReturnType<typeof openRetries>>, { outcome: "opened" }>,
): Promise<void> {
  const { lines, slices, upstream } = opened;
  if (lines.length === 0) return;
  try {
    if (slices.length < lines.length) await queues.enqueue("upstream.feed", { v: 1, upstream });
    await queues.enqueueSlices(upstream, slices);
  } catch (error) {
    logger.warn(
      { err: error, upstream, lines: lines.length },
      "the queue is unavailable; the reconciler will find these lines",
    );
  }
}
