/** The admin API's operations of webhooks, as the API's description has them. */
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
const params = Type.Object({ webhook_id: Type.String({ description: "The id of an endpoint of webhooks." }) });

const WEBHOOK_ID = { webhook_id: "$response.body#/id" };

export const webhookOperations: readonly Operation[] = [
  {
    ...shared,
    method: "post",
    path: "/admin/v1/webhooks",
    id: "createWebhook",
    summary: "Add an endpoint of webhooks",
    description:
      "The endpoint hears of the tenant's batches that end from now on: of all, or of the types that `events` lists. The reply " +
      "has the secret that its events are signed with, this once.",
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
    summary: "List endpoints of webhooks",
    description: "A page of endpoints of one tenant or of all, the newest first, without their secrets.",
    query: ListWebhooksQuery,
    replies: ok("A page of endpoints.", listSchema(WebhookEndpointObject, "WebhookEndpointList")),
    errors: ["invalidType", "outOfRange"],
  },
  {
    ...shared,
    method: "delete",
    path: "/admin/v1/webhooks/{webhook_id}",
    id: "deleteWebhook",
    summary: "Delete an endpoint of webhooks",
    description: "Takes the endpoint away at once, with its deliveries: what waits is never sent.",
    params,
    replies: ok("The endpoint is gone.", DeletedWebhookEndpoint),
    errors: ["webhookEndpointNotFound"],
  },
  {
    ...shared,
    method: "post",
    path: "/admin/v1/webhooks/{webhook_id}/test",
    id: "testWebhook",
    summary: "Send a test event",
    description:
      "Sends one event of a batch that does not exist, and answers with what came of it. Nothing is repeated. The body is not " +
      "looked at.",
    params,
    replies: ok("What came of it, whatever that is.", WebhookTestObject),
    errors: ["webhookEndpointNotFound"],
  },
  {
    ...shared,
    method: "get",
    path: "/admin/v1/webhooks/{webhook_id}/deliveries",
    id: "listWebhookDeliveries",
    summary: "List an endpoint's deliveries",
    description: "The newest 100 deliveries, the newest first; `has_more` says whether there are older ones.",
    params,
    replies: ok("The deliveries.", listSchema(WebhookDeliveryObject, "WebhookDeliveryList")),
    errors: ["webhookEndpointNotFound"],
  },
];
