/** The routes of one webhook endpoint: delete it, send it a test event, list its deliveries. */
import {
  type Db,
  deleteWebhookEndpoint,
  findWebhookEndpoint,
  listDeliveries,
  type WebhookEndpointView,
} from "@nightshift/db";
import {
  type DeletedWebhookEndpoint,
  errors,
  listPage,
  MAX_SHOWN_DELIVERIES,
  newBatchId,
  newEventId,
  newWebhookId,
  type RandomBytes,
  webhookEventBody,
  type WebhookTestObject,
} from "@nightshift/domain";
import type { WebhookSender } from "@nightshift/webhooks";
import type { Request, RequestHandler } from "express";
import { idFromPath, isObjectId } from "../../object-id.ts";
import { toSeconds } from "../../present/seconds.ts";
import { presentDelivery } from "./present-webhook.ts";

export interface TestWebhookDeps {
  readonly db: Db;
  readonly webhooks: WebhookSender;
  readonly clock: () => Date;
  readonly random: RandomBytes;
}

/**
 * DELETE /admin/v1/webhooks/{id}: deletes the endpoint and its deliveries. Pending events are not sent, and failed
 * events are not retried.
 */
export function deleteWebhookRoute({ db }: { readonly db: Db }): RequestHandler {
  return async (request, response) => {
    const id = idFromPath(request.params, "webhook_id");
    const isDeleted = isObjectId(id) && (await deleteWebhookEndpoint(db, id));
    if (!isDeleted) throw errors.webhookEndpointNotFound(id);
    response.json({ id, object: "webhook_endpoint", deleted: true } satisfies DeletedWebhookEndpoint);
  };
}

/**
 * GET /admin/v1/webhooks/{id}/deliveries: the newest 100, without pages. `has_more` is true if there are older ones.
 */
export function listWebhookDeliveriesRoute({ db }: { readonly db: Db }): RequestHandler {
  return async (request, response) => {
    const { id } = await findWebhook(db, request);
    const deliveries = await listDeliveries(db, id, MAX_SHOWN_DELIVERIES + 1);
    const shown = deliveries.slice(0, MAX_SHOWN_DELIVERIES).map(presentDelivery);
    response.json(listPage(shown, deliveries.length > shown.length));
  };
}

/**
 * POST /admin/v1/webhooks/{id}/test: sends one event about a batch that does not exist. Its type is the first one that
 * the endpoint subscribes to. The reply is 200 with the outcome, even if the delivery failed. The API process sends the
 * event and stores nothing, so it is not retried.
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
    // The sender has its own timeout. If the client disconnects, the delivery continues.
    const neverAborted = new AbortController().signal;
    const outcome = await webhooks.send({ url, secret, id: newWebhookId(random), body }, now, neverAborted);
    response.json({
      object: "webhook_test",
      endpoint: id,
      delivered: outcome.isAcknowledged,
      status: outcome.status,
      error: outcome.error,
    } satisfies WebhookTestObject);
  };
}

async function findWebhook(db: Db, request: Request): Promise<WebhookEndpointView> {
  const id = idFromPath(request.params, "webhook_id");
  const found = isObjectId(id) ? await findWebhookEndpoint(db, id) : null;
  if (found === null) throw errors.webhookEndpointNotFound(id);
  return found;
}
