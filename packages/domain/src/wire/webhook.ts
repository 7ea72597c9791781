/**
 * The event that a webhook receiver gets (contract §1.4), and the admin API's own objects for endpoints and deliveries.
 */
import { Type, type Static } from "@sinclair/typebox";
import { nullable } from "./shared-schemas.ts";

/**
 * Every event type. The other moves of a batch (created, in_progress, finalizing, cancelling) cause no event: contract
 * §1.4.
 */
export const WEBHOOK_EVENT_TYPES = ["batch.completed", "batch.failed", "batch.expired", "batch.cancelled"] as const;
export type WebhookEventType = (typeof WEBHOOK_EVENT_TYPES)[number];

/** An event in wire order. It only names the batch: the receiver reads the batch through the API. */
export interface WebhookEventObject {
  readonly id: string;
  readonly object: "event";
  /** Unix seconds at which the batch reached that state. */
  readonly created_at: number;
  readonly type: WebhookEventType;
  readonly data: { readonly id: string };
}

/** Returns the text that is signed and posted. It is the same for every attempt. */
export function webhookEventBody(event: {
  readonly id: string;
  readonly type: WebhookEventType;
  readonly batchId: string;
  readonly createdAt: Date;
}): string {
  return JSON.stringify({
    id: event.id,
    object: "event",
    created_at: Math.floor(event.createdAt.getTime() / 1_000),
    type: event.type,
    data: { id: event.batchId },
  } satisfies WebhookEventObject);
}

const EventType = Type.Union(WEBHOOK_EVENT_TYPES.map((type) => Type.Literal(type)));

/** Body of POST /admin/v1/webhooks. Without `events`, the endpoint gets all types. */
export const CreateWebhookBody = Type.Object(
  {
    tenant: Type.String(),
    url: Type.String(),
    events: Type.Optional(Type.Array(EventType, { minItems: 1, uniqueItems: true })),
  },
  { $id: "CreateWebhookRequest", additionalProperties: false },
);
export type CreateWebhookBody = Static<typeof CreateWebhookBody>;

/** An endpoint in wire order. Only the reply to its creation has `secret`. */
export const WebhookEndpointObject = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("webhook_endpoint"),
    tenant: Type.String(),
    url: Type.String(),
    events: Type.Array(EventType),
    secret: Type.Optional(Type.String()),
    created_at: Type.Integer(),
  },
  { $id: "WebhookEndpoint", additionalProperties: false },
);
export type WebhookEndpointObject = Static<typeof WebhookEndpointObject>;

/** The reply to DELETE /admin/v1/webhooks/{id}. */
export const DeletedWebhookEndpoint = Type.Object({
  id: Type.String(),
  object: Type.Literal("webhook_endpoint"),
  deleted: Type.Literal(true),
});
export type DeletedWebhookEndpoint = Static<typeof DeletedWebhookEndpoint>;

/**
 * The reply to POST /admin/v1/webhooks/{id}/test. `status` is the receiver's status, or null if the receiver did not
 * reply. `error` is null if the receiver acknowledged the event.
 */
export const WebhookTestObject = Type.Object({
  object: Type.Literal("webhook_test"),
  endpoint: Type.String(),
  delivered: Type.Boolean(),
  status: nullable(Type.Integer()),
  error: nullable(Type.String()),
});
export type WebhookTestObject = Static<typeof WebhookTestObject>;

/** The states of a delivery. `failed` is final. */
export const WEBHOOK_DELIVERY_STATES = ["pending", "delivered", "failed"] as const;
export type WebhookDeliveryState = (typeof WEBHOOK_DELIVERY_STATES)[number];

const seconds = () => nullable(Type.Integer());

/** The delivery of one event to one endpoint. Its `id` is the `webhook-id` that the receiver sees. */
export const WebhookDeliveryObject = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("webhook_delivery"),
    endpoint: Type.String(),
    event: Type.String(),
    type: EventType,
    batch: Type.String(),
    state: Type.Union(WEBHOOK_DELIVERY_STATES.map((state) => Type.Literal(state))),
    attempts: Type.Integer(),
    last_status: nullable(Type.Integer()),
    last_error: nullable(Type.String()),
    created_at: Type.Integer(),
    next_attempt_at: seconds(),
    delivered_at: seconds(),
  },
  { $id: "WebhookDelivery", additionalProperties: false },
);
export type WebhookDeliveryObject = Static<typeof WebhookDeliveryObject>;
