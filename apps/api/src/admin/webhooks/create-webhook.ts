/** POST /admin/v1/webhooks: adds an endpoint that receives events about a tenant's batches. */
import { type Db, insertWebhookEndpoint, type WebhookEndpointView } from "@nightshift/db";
import {
  CreateWebhookBody,
  errors,
  MAX_WEBHOOK_ENDPOINTS,
  newWebhookEndpointId,
  type RandomBytes,
  WEBHOOK_EVENT_TYPES,
} from "@nightshift/domain";
import { findUrlFault, newWebhookSecret } from "@nightshift/webhooks";
import type { RequestHandler } from "express";
import { readJsonBody } from "../../json-body.ts";
import { bodyParser } from "../../request-schema.ts";
import { presentWebhook } from "./present-webhook.ts";

const parseBody = bodyParser(CreateWebhookBody);

export interface CreateWebhookDeps {
  readonly db: Db;
  readonly allowPrivateWebhooks: boolean;
  readonly clock: () => Date;
  readonly random: RandomBytes;
}

/** The reply is the only place where the secret appears. A forbidden URL or an unknown tenant gets 400. */
export function createWebhookRoute(deps: CreateWebhookDeps): RequestHandler {
  return async (request, response) => {
    const { tenant, url, events } = parseBody(await readJsonBody(request, response));
    const fault = findUrlFault(url, { allowPrivate: deps.allowPrivateWebhooks });
    if (fault !== null) throw errors.outOfRange("url", fault);
    const endpoint: WebhookEndpointView = {
      id: newWebhookEndpointId(deps.random),
      tenant,
      url: new URL(url).href,
      events: events ?? [...WEBHOOK_EVENT_TYPES],
      secret: newWebhookSecret(deps.random),
      createdAt: deps.clock(),
    };
    // Postgres refuses NUL in text, so the name of a tenant cannot contain it.
    const insertion = tenant.includes("\0")
      ? "no_tenant"
      : await insertWebhookEndpoint(deps.db, endpoint, MAX_WEBHOOK_ENDPOINTS);
    if (insertion === "no_tenant") throw errors.outOfRange("tenant", "the tenant does not exist");
    if (insertion === "too_many") throw errors.tooManyWebhookEndpoints(tenant, MAX_WEBHOOK_ENDPOINTS);
    const { created_at: createdAt, ...rest } = presentWebhook(endpoint);
    response.json({ ...rest, secret: endpoint.secret, created_at: createdAt });
  };
}
