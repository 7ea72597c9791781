/** Webhooks on the wire: the event that a receiver gets (contract §1.4), and what the admin API says about endpoints (ours). */
import { Type, type Static } from "@sinclair/typebox";
import { nullable } from "./shared-schemas.ts";

/** All the types there are; created, in_progress, finalizing and cancelling have none: contract §1.4. */
export const WEBHOOK_EVENT_TYPES = ["batch.completed", "batch.failed", "batch.expired", "batch.cancelled"] as const;
export type WebhookEventType = (typeof WEBHOOK_EVENT_TYPES)[number];

/** An event, in wire order. It says no more than which batch: the receiver asks for the batch itself. */
export interface WebhookEventObject {
  readonly id: string;
  readonly object: "event";
  /** Unix seconds at which the batch reached that state. */
  readonly created_at: number;
  readonly type: WebhookEventType;
  readonly data: { readonly id: string };
}

/** The bytes that are signed and posted: the same for each attempt. */
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

/** Body of POST /admin/v1/webhooks. Without `events` the endpoint gets all types. */
export const CreateWebhookBody = Type.Object(
  {
    tenant: Type.String(),
    url: Type.String(),
    events: Type.Optional(Type.Array(EventType, { minItems: 1, uniqueItems: true })),
  },
  { $id: "CreateWebhookRequest", additionalProperties: false },
);
export type CreateWebhookBody = Static<typeof CreateWebhookBody>;

/** An endpoint, in wire order. `secret` is in the reply to its creation only. */
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

/** Reply to DELETE /admin/v1/webhooks/{id}. */
export const DeletedWebhookEndpoint = Type.Object({
  id: Type.String(),
  object: Type.Literal("webhook_endpoint"),
  deleted: Type.Literal(true),
});
export type DeletedWebhookEndpoint = Static<typeof DeletedWebhookEndpoint>;

/** Reply to POST /admin/v1/webhooks/{id}/test. `status` is that of the receiver, null where none came; `error` is null where it acknowledged. */
export const WebhookTestObject = Type.Object({
  object: Type.Literal("webhook_test"),
  endpoint: Type.String(),
  delivered: Type.Boolean(),
  status: nullable(Type.Integer()),
  error: nullable(Type.String()),
});
export type WebhookTestObject = Static<typeof WebhookTestObject>;

/** What becomes of a delivery. `failed` is for good. */
export const WEBHOOK_DELIVERY_STATES = ["pending", "delivered", "failed"] as const;
export type WebhookDeliveryState = (typeof WEBHOOK_DELIVERY_STATES)[number];

const seconds = () => nullable(Type.Integer());

/** One event on its way to one endpoint; `id` is what the receiver sees as `webhook-id`. */
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
