/** GET /admin/v1/webhooks: endpoints of one tenant or of all, the newest first, without their secrets. */
import { type Db, listWebhookEndpoints } from "@nightshift/db";
import { errors, listPage } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import type { RequestHandler } from "express";
import { isObjectId } from "../../object-id.ts";
import { textParser } from "../../request-schema.ts";
import { ADMIN_PAGE } from "../admin-page.ts";
import { presentWebhook } from "./present-webhook.ts";

/** The query of GET /admin/v1/webhooks. Other keys are passed over. */
export const ListWebhooksQuery = Type.Object({
  ...ADMIN_PAGE,
  tenant: Type.Optional(Type.String({ description: "Only endpoints of this tenant." })),
});

const parseQuery = textParser(ListWebhooksQuery);

/** An unknown tenant has none. */
export function listWebhooksRoute({ db }: { readonly db: Db }): RequestHandler {
  return async (request, response) => {
    const { tenant = null, limit, after = null } = parseQuery({ ...request.query });
    if (tenant?.includes("\0")) throw errors.outOfRange("tenant", "there is no tenant of that name");
    const page = after === null || isObjectId(after) ? await listWebhookEndpoints(db, { tenant, limit, after }) : null;
    if (page === null) throw errors.outOfRange("after", "it names no endpoint of this list");
    response.json(listPage(page.rows.map(presentWebhook), page.hasMore));
  };
}
