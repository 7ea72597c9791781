/** The admin API's routes of webhooks, by path below /admin/v1. */
import type { AdminTable } from "../admin-api.ts";
import { createWebhookRoute, type CreateWebhookDeps } from "./create-webhook.ts";
import { deleteWebhookRoute } from "./delete-webhook.ts";
import { listWebhookDeliveriesRoute } from "./list-deliveries.ts";
import { listWebhooksRoute } from "./list-webhooks.ts";
import { testWebhookRoute, type TestWebhookDeps } from "./test-webhook.ts";

export function webhookTable(deps: CreateWebhookDeps & TestWebhookDeps): AdminTable {
  return {
    "/webhooks": { get: listWebhooksRoute(deps), post: createWebhookRoute(deps) },
    "/webhooks/:webhook_id": { delete: deleteWebhookRoute(deps) },
    "/webhooks/:webhook_id/test": { post: testWebhookRoute(deps) },
    "/webhooks/:webhook_id/deliveries": { get: listWebhookDeliveriesRoute(deps) },
  };
}
