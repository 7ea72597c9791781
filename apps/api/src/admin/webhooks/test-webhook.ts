/** POST /admin/v1/webhooks/{id}/test: whether an endpoint can be reached, and acknowledges what is signed with its secret. */
import type { Db } from "@nightshift/db";
import {
  newBatchId,
  newEventId,
  newWebhookId,
  type RandomBytes,
  webhookEventBody,
  type WebhookTestObject,
} from "@nightshift/domain";
import type { WebhookSender } from "@nightshift/webhooks";
import type { RequestHandler } from "express";
import { toSeconds } from "../../present/seconds.ts";
import { findWebhook } from "./find-webhook.ts";

export interface TestWebhookDeps {
  readonly db: Db;
  readonly webhooks: WebhookSender;
  readonly clock: () => Date;
  readonly random: RandomBytes;
}

/**
 * Sends one event, of the first type that the endpoint wants, of a batch that does not exist, and answers with what came
 * of it: 200 whatever that is. Nothing is stored, so nothing is repeated. The API process itself sends it.
 */
export function testWebhookRoute({ db, webhooks, clock, random }: TestWebhookDeps): RequestHandler {
  return async (request, response) => {
    const { id, url, secret, events } = await findWebhook(db, request);
    const now = clock();
    const body = webhookEventBody({
      id: newEventId(random),
      type: events[0] ?? "batch.completed",
      batchId: newBatchId(random, toSeconds(now)),
      createdAt: now,
    });
    // The sender's own time-out ends it; a client that has gone away changes nothing for the receiver.
    const unending = new AbortController().signal;
    const outcome = await webhooks.send({ url, secret, id: newWebhookId(random), body }, now, unending);
    response.json({
      object: "webhook_test",
      endpoint: id,
      delivered: outcome.isAcknowledged,
      status: outcome.status,
      error: outcome.error,
    } satisfies WebhookTestObject);
  };
}
