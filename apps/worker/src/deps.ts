/** What the worker's parts need of the outside world. Each part takes the piece of this that it uses. */
import type { Db } from "@nightshift/db";
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
  /** What tenants may have. */
  readonly tiers: Tiers;
  readonly webhooks: WebhookSender;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Seconds that a result file lives where its batch does not say it; null: for ever. */
  readonly batchFileLifeSeconds: number | null;
}
