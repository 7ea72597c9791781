/** Brings deliveries from Postgres to the queue when they are due. One that waits has no job: the queue keeps no time for us. */
import { dueDeliveries, untriedDeliveries, type Db } from "@nightshift/db";
import type { JobQueues } from "@nightshift/queue";
import type { Clock } from "../deps.ts";

export interface DeliveryQueue {
  /** Those of a batch that has just ended, by its public id: they do not wait for the reconciler. */
  enqueueOf(batchId: string): Promise<void>;
  /** All that are due, those of a wiped queue and of dead workers among them. One that has its job keeps it. */
  enqueueDue(): Promise<void>;
}

/** Of one look; the next one, two seconds later, finds the rest. */
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
