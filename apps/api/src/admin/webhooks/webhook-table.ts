/** The admin API's routes of webhooks, by path below /admin/v1. */
import type { AdminTable } from "../admin-api.ts";
import { createWebhook, type CreateWebhookDeps } from "./create-webhook.ts";
import { deleteWebhook } from "./delete-webhook.ts";
import { listWebhookDeliveries } from "./list-deliveries.ts";
import { listWebhooks } from "./list-webhooks.ts";
import { testWebhook, type TestWebhookDeps } from "./test-webhook.ts";

export function webhookTable(deps: CreateWebhookDeps & TestWebhookDeps): AdminTable {
  return {
    "/webhooks": { get: listWebhooks(deps), post: createWebhook(deps) },
    "/webhooks/:webhook_id": { delete: deleteWebhook(deps) },
    "/webhooks/:webhook_id/test": { post: testWebhook(deps) },
    "/webhooks/:webhook_id/deliveries": { get: listWebhookDeliveries(deps) },
  };
}
