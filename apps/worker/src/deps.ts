/** The dependencies that a worker gets from outside. Each part takes only the fields that it uses. */
import type { BatchView, Db } from "@nightshift/db";
import type { Tiers } from "@nightshift/domain";
import type { JobQueues } from "@nightshift/queue";
import type { Logger } from "@nightshift/service";
import type { ObjectStore } from "@nightshift/storage";
import type { Routes } from "@nightshift/upstream";
import type { WebhookSender } from "@nightshift/webhooks";

export type Clock = () => Date;

export interface WorkerDeps {
  readonly db: Db;
  readonly objects: ObjectStore;
  readonly queues: JobQueues;
  readonly routes: Routes;
  /** The limits of each tenant. */
  readonly tiers: Tiers;
  readonly webhooks: WebhookSender;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Lifetime in seconds of a result file whose batch sets none. Null if such files never expire. */
  readonly batchFileLifeSeconds: number | null;
}

/**
 * Returns the fields of every log line about a batch. `requestId` is the `x-request-id` of the reply that created the
 * batch.
 */
export function logFields({ id, requestId }: Pick<BatchView, "id" | "requestId">): {
  batchId: string;
  requestId: string | null;
} {
  return { batchId: id, requestId };
}
