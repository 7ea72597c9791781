/** Describes the operations on webhooks for the OpenAPI document. */
import {
  CreateWebhookBody,
  DeletedWebhookEndpoint,
  listSchema,
  WebhookDeliveryObject,
  WebhookEndpointObject,
  WebhookTestObject,
} from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import { JSON_BODY_CASES, ok, type Operation, SCHEMA_CASES } from "../../operation.ts";
import { ListWebhooksQuery } from "./list-webhooks.ts";

const shared = { tag: "Admin: webhooks", extension: true, key: "admin" } as const;
const params = Type.Object({ webhook_id: Type.String({ description: "The id of a webhook endpoint." }) });

const WEBHOOK_ID = { webhook_id: "$response.body#/id" };

export const webhookOperations: readonly Operation[] = [
  {
    ...shared,
    method: "post",
    path: "/admin/v1/webhooks",
    id: "createWebhook",
    summary: "Create a webhook endpoint",
    description:
      "The endpoint receives an event when one of the tenant's batches ends. If `events` is set, it receives only those types. " +
      "The reply contains the secret that signs the events. The secret is shown only once.",
    body: {
      mediaType: "application/json",
      schema: CreateWebhookBody,
      isRequired: true,
      example: { tenant: "acme", url: "https://example.com/hook", events: ["batch.completed"] },
    },
    replies: ok("The endpoint, with its secret.", WebhookEndpointObject, {
      deleteWebhook: WEBHOOK_ID,
      testWebhook: WEBHOOK_ID,
      listWebhookDeliveries: WEBHOOK_ID,
    }),
    errors: [...JSON_BODY_CASES, ...SCHEMA_CASES, "tooManyWebhookEndpoints"],
  },
  {
    ...shared,
    method: "get",
    path: "/admin/v1/webhooks",
    id: "listWebhooks",
    summary: "List webhook endpoints",
    description: "Returns a page of endpoints of one tenant or of all, newest first, without their secrets.",
    query: ListWebhooksQuery,
    replies: ok("A page of endpoints.", listSchema(WebhookEndpointObject, "WebhookEndpointList")),
    errors: ["invalidType", "outOfRange"],
  },
  {
    ...shared,
    method: "delete",
    path: "/admin/v1/webhooks/{webhook_id}",
    id: "deleteWebhook",
    summary: "Delete a webhook endpoint",
    description: "Deletes the endpoint and its deliveries. Pending events are not sent.",
    params,
    replies: ok("The endpoint is deleted.", DeletedWebhookEndpoint),
    errors: ["webhookEndpointNotFound"],
  },
  {
    ...shared,
    method: "post",
    path: "/admin/v1/webhooks/{webhook_id}/test",
    id: "testWebhook",
    summary: "Send a test event",
    description:
      "Sends one event about a batch that does not exist, and returns the outcome. The event is not retried. The body of the " +
      "request is ignored.",
    params,
    replies: ok("The outcome, even if the delivery failed.", WebhookTestObject),
    errors: ["webhookEndpointNotFound"],
  },
  {
    ...shared,
    method: "get",
    path: "/admin/v1/webhooks/{webhook_id}/deliveries",
    id: "listWebhookDeliveries",
    summary: "List the deliveries of a webhook endpoint",
    description: "Returns the newest 100 deliveries, newest first. `has_more` is true if there are older ones.",
    params,
    replies: ok("The deliveries.", listSchema(WebhookDeliveryObject, "WebhookDeliveryList")),
    errors: ["webhookEndpointNotFound"],
  },
];
