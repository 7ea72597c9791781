/** Turns rows of endpoints and deliveries into the objects of the admin API. */
import type { DeliveryView, WebhookEndpointView } from "@nightshift/db";
import type { WebhookDeliveryObject, WebhookEndpointObject } from "@nightshift/domain";
import { toSeconds, toSecondsOrNull } from "../../present/seconds.ts";

/** Leaves out the secret, which is shown only when the endpoint is created. */
export function presentWebhook(endpoint: WebhookEndpointView): WebhookEndpointObject {
  return {
    id: endpoint.id,
    object: "webhook_endpoint",
    tenant: endpoint.tenant,
    url: endpoint.url,
    events: endpoint.events,
    created_at: toSeconds(endpoint.createdAt),
  };
}

export function presentDelivery(delivery: DeliveryView): WebhookDeliveryObject {
  return {
    id: delivery.id,
    object: "webhook_delivery",
    endpoint: delivery.endpoint,
    event: delivery.eventId,
    type: delivery.type,
    batch: delivery.batchId,
    state: delivery.state,
    attempts: delivery.attempts,
    last_status: delivery.lastStatus,
    last_error: delivery.lastError,
    created_at: toSeconds(delivery.createdAt),
    next_attempt_at: toSecondsOrNull(delivery.nextAttemptAt),
    delivered_at: toSecondsOrNull(delivery.deliveredAt),
  };
}
