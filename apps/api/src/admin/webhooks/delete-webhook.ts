/** DELETE /admin/v1/webhooks/{id}. */
import { type Db, deleteWebhookEndpoint } from "@nightshift/db";
import { type DeletedWebhookEndpoint, errors } from "@nightshift/domain";
import type { RequestHandler } from "express";
import { idFromPath, isObjectId } from "../../object-id.ts";

/** The endpoint is gone at once, with its deliveries: what waits is never sent, what is being sent is not repeated. */
export function deleteWebhookRoute({ db }: { readonly db: Db }): RequestHandler {
  return async (request, response) => {
    const id = idFromPath(request.params, "webhook_id");
    const isDeleted = isObjectId(id) && (await deleteWebhookEndpoint(db, id));
    if (!isDeleted) throw errors.webhookEndpointNotFound(id);
    response.json({ id, object: "webhook_endpoint", deleted: true } satisfies DeletedWebhookEndpoint);
  };
}
