/** The endpoint that a path names. */
import { type Db, findWebhookEndpoint, type WebhookEndpointView } from "@nightshift/db";
import { errors } from "@nightshift/domain";
import type { Request } from "express";
import { idFromPath, isObjectId } from "../../object-id.ts";

/** Throws webhookEndpointNotFound where there is none. */
export async function findWebhook(db: Db, request: Request): Promise<WebhookEndpointView> {
  const id = idFromPath(request.params, "webhook_id");
  const found = isObjectId(id) ? await findWebhookEndpoint(db, id) : null;
  if (found === null) throw errors.webhookEndpointNotFound(id);
  return found;
}
