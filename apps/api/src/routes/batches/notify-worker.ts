/** Notifies the workers that a batch has a next step. */
import type { JobQueues } from "@nightshift/queue";
import type { Request } from "express";

export interface NotifyDeps {
  readonly queues: Pick<JobQueues, "enqueue">;
}

/**
 * Enqueues an advance. If the queue is unavailable, it only logs the error, because the reconciler finds the row of the
 * batch a little later.
 */
export async function notifyWorker({ queues }: NotifyDeps, request: Request, batchNo: number): Promise<void> {
  try {
    await queues.enqueue("batch.advance", { v: 1, batch_no: batchNo });
  } catch (error) {
    request.log.warn({ err: error, batchNo }, "the queue is unavailable; the reconciler will find this batch");
  }
}
