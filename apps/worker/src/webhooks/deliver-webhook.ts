/**
 * `webhook.deliver` makes one attempt of one delivery. After a crash between the send and the record, the delivery is
 * sent again with the same `webhook-id`. A job that is repeated, early or late finds no delivery to claim.
 */
import { claimDelivery, recordAttempt, type Db } from "@nightshift/db";
import { nextWebhookAttempt, webhookEventBody } from "@nightshift/domain";
import type { Logger } from "@nightshift/service";
import type { WebhookSender } from "@nightshift/webhooks";
import type { Clock } from "../deps.ts";
import type { WorkerMetrics } from "../metrics.ts";

export interface DeliverDeps {
  readonly db: Db;
  readonly webhooks: WebhookSender;
  readonly workerId: () => string;
  readonly metrics: Pick<WorkerMetrics, "webhookSent">;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Returns a number from 0 up to 1. */
  readonly random: () => number;
}

/** If `signal` aborts the attempt, the claim stays until this worker is gone or the lease of the claim has ended. */
export async function deliverWebhook(deps: DeliverDeps, deliveryNo: number, signal: AbortSignal): Promise<void> {
  const { db, webhooks, metrics, logger, clock } = deps;
  const delivery = await claimDelivery(db, deliveryNo, deps.workerId(), clock());
  if (delivery === null) return;
  const { id, url, secret, attempts, createdAt } = delivery;
  const body = webhookEventBody({ ...delivery, id: delivery.eventId });
  const outcome = await webhooks.send({ url, secret, id, body }, clock(), signal);

  const now = clock();
  const nextAttemptAt = nextWebhookAttempt({ attempts, since: createdAt, now, status: outcome.status }, deps.random);
  await recordAttempt(db, delivery, { ...outcome, nextAttemptAt }, now);
  if (outcome.isAcknowledged) {
    metrics.webhookSent("acknowledged");
    return;
  }
  metrics.webhookSent(nextAttemptAt === null ? "given_up" : "retried");
  const { batchId, requestId } = delivery;
  const facts = { delivery: id, batch: batchId, requestId, attempts, error: outcome.error, nextAttemptAt };
  logger.info(facts, nextAttemptAt === null ? "webhook given up" : "webhook not acknowledged; it will be sent again");
}
