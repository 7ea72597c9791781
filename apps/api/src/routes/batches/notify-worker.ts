/** Tells the workers that a batch has something to do. */
import type { JobQueues } from "@nightshift/queue";
import type { Request } from "express";

export interface NotifyDeps {
  readonly queues: Pick<JobQueues, "enqueue">;
}

/** Enqueues an advance. The batch's row is the wish: where the queue is away, the reconciler finds it, a little later. */
export async function notifyWorker({ queues }: NotifyDeps, request: Request, batchNo: number): Promise<void> {
  try {
    await queues.enqueue("batch.advance", { v: 1, batch_no: batchNo });
  } catch (error) {
    request.log.warn({ err: error, batchNo }, "the queue is away; the reconciler will find this batch");
  }
}
