/** GET /admin/v1/webhooks: endpoints of one tenant or of all, the newest first, without their secrets. */
import { type Db, listWebhookEndpoints } from "@nightshift/db";
import { errors, listPage, WEBHOOK_PAGE } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import type { RequestHandler } from "express";
import { isObjectId } from "../../object-id.ts";
import { textParser } from "../../request-schema.ts";
import { presentWebhook } from "./present-webhook.ts";

const parseQuery = textParser(
  Type.Object({
    tenant: Type.Optional(Type.String()),
    limit: Type.Integer({ minimum: 1, maximum: WEBHOOK_PAGE.max, default: WEBHOOK_PAGE.default }),
    after: Type.Optional(Type.String()),
  }),
);

/** An unknown tenant has none. */
export function listWebhooks({ db }: { readonly db: Db }): RequestHandler {
  return async (request, response) => {
    const { tenant = null, limit, after = null } = parseQuery({ ...request.query });
    if (tenant?.includes("\0")) throw errors.outOfRange("tenant", "there is no tenant of that name");
    const page = after === null || isObjectId(after) ? await listWebhookEndpoints(db, { tenant, limit, after }) : null;
    if (page === null) throw errors.outOfRange("after", "it names no endpoint of this list");
    response.json(listPage(page.rows.map(presentWebhook), page.hasMore));
  };
}
