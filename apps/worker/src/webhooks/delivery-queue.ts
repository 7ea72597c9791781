/** Enqueues webhook deliveries when they are due. A delivery that waits for its next attempt has no job. */
import { dueDeliveries, untriedDeliveries, type Db } from "@nightshift/db";
import type { JobQueues } from "@nightshift/queue";
import type { Clock } from "../deps.ts";

export interface DeliveryQueue {
  /** Enqueues the deliveries of a batch that has just ended, so that they do not wait for the reconciler. */
  enqueueOf(batchId: string): Promise<void>;
  /**
   * Enqueues all due deliveries, even after a flush of the queue or the death of a worker. Does not change a job that
   * already exists.
   */
  enqueueDue(): Promise<void>;
}

/** The maximum number of deliveries per run of the reconciler. The next run, two seconds later, finds all others. */
const MAX_DUE = 200;

export function createDeliveryQueue(deps: {
  readonly db: Db;
  readonly queues: Pick<JobQueues, "enqueue">;
  readonly clock: Clock;
}): DeliveryQueue {
  const enqueue = async (deliveries: readonly number[]): Promise<void> => {
    for (const delivery of deliveries) await deps.queues.enqueue("webhook.deliver", { v: 1, delivery });
  };
  return {
    enqueueOf: async (batchId) => enqueue(await untriedDeliveries(deps.db, batchId)),
    enqueueDue: async () => enqueue(await dueDeliveries(deps.db, deps.clock(), MAX_DUE)),
  };
}
