/**
 * `webhook.deliver`: one attempt of one delivery. A crash between sending and recording sends it again, with the same
 * webhook-id; a job that comes twice, or too early, or after somebody else's, finds nothing to claim.
 */
import { claimDelivery, recordAttempt, type Db } from "@nightshift/db";
import { nextWebhookAttempt, webhookEventBody } from "@nightshift/domain";
import type { JobHandler } from "@nightshift/queue";
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
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** The handler. Where its signal ends an attempt, the claim stays until this worker is gone or its lease is over. */
export function deliverWebhook(deps: DeliverDeps): JobHandler<"webhook.deliver"> {
  const { db, webhooks, metrics, logger, clock } = deps;
  return async (payload, signal) => {
    const delivery = await claimDelivery(db, payload.delivery, deps.workerId(), clock());
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
  };
}
