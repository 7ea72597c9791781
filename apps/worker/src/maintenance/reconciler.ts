/**
 * Enqueues the jobs that Postgres says are missing after a crash, a flush of the queue or a lost message. Runs on
 * timers in every worker and not as a job, because it must survive the loss of the queue.
 */
import {
  batchesToAdvance,
  batchesToPublish,
  exhaustedLines,
  giveUpRetries,
  overdueBatches,
  takeTurn,
  waitingSlices,
  type Db,
} from "@nightshift/db";
import type { Tiers } from "@nightshift/domain";
import type { JobQueues } from "@nightshift/queue";
import type { Logger } from "@nightshift/service";
import type { Clock } from "../deps.ts";
import type { Scheduler } from "../scheduler.ts";
import { admitWaiting } from "../steps/validate/admission.ts";
import type { DeliveryQueue } from "../webhooks/delivery-queue.ts";

export interface ReconcilerDeps {
  readonly db: Db;
  readonly queues: JobQueues;
  readonly scheduler: Pick<Scheduler, "enqueueSlices">;
  readonly deliveries: DeliveryQueue;
  readonly upstreams: readonly string[];
  readonly tiers: Tiers;
  readonly logger: Logger;
  readonly clock: Clock;
}

const RECONCILE_MS = 2_000;
const RARE_MS = 60_000;
export const MAINTENANCE_MS = 60_000;
/**
 * Slices that became due more recently than this are still waiting in their queue. Enqueueing them again would change
 * nothing, and would cost the Postgres backend 1.6 ms each.
 */
const OVERDUE_MS = 4_000;
/** The maximum number of waiting slices per run, which is several windows. */
const MAX_SLICES = 5_000;
const MAX_BATCHES = 500;
const MAX_FAILED_LINES = 1_000;

/** Runs one round. Does nothing if another worker has the turn. */
export async function reconcile(deps: ReconcilerDeps): Promise<void> {
  if (!(await takeTurn(deps.db, "reconcile", RECONCILE_MS - 100))) return;
  const now = deps.clock();
  await giveUpRetries(deps.db, now);
  const batches = new Set([
    ...(await batchesToAdvance(deps.db, MAX_BATCHES)),
    ...(await overdueBatches(deps.db, now)),
    ...(await batchesToPublish(deps.db, now)),
  ]);
  for (const batchNo of batches) await deps.queues.enqueue("batch.advance", { v: 1, batch_no: batchNo });
  await admitWaiting(deps);
  await deps.scheduler.enqueueSlices(await waitingSlices(deps.db, MAX_SLICES, OVERDUE_MS));
  for (const upstream of deps.upstreams) await deps.queues.enqueue("upstream.feed", { v: 1, upstream });
  await deps.deliveries.enqueueDue();
  if (await takeTurn(deps.db, "reconcile rarely", RARE_MS)) await reconcileRarely(deps);
}

async function reconcileRarely(deps: ReconcilerDeps): Promise<void> {
  await deps.queues.schedule("maintenance.run", MAINTENANCE_MS);
  for (const line of await exhaustedLines(deps.db, MAX_FAILED_LINES, deps.clock())) {
    await deps.queues.enqueue("line.failed", {
      v: 1,
      batch_no: line.batchNo,
      batch_id: line.batchId,
      line: line.line,
      request_gen: line.requestGen,
      reason: "ran out of attempts",
    });
  }
}
