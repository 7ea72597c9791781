/** POST /admin/v1/webhooks: an endpoint that hears of a tenant's batches from now on. */
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

/** Answers with the endpoint and, this once, its secret. 400 for a URL that webhooks must not go to and for an unknown tenant. */
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
    // Postgres refuses NUL in text: no tenant has it in its name.
    const insertion = tenant.includes("\0")
      ? "no_tenant"
      : await insertWebhookEndpoint(deps.db, endpoint, MAX_WEBHOOK_ENDPOINTS);
    if (insertion === "no_tenant") throw errors.outOfRange("tenant", "there is no tenant of that name");
    if (insertion === "too_many") throw errors.tooManyWebhookEndpoints(tenant, MAX_WEBHOOK_ENDPOINTS);
    const { created_at: createdAt, ...rest } = presentWebhook(endpoint);
    response.json({ ...rest, secret: endpoint.secret, created_at: createdAt });
  };
}
