/** GET /admin/v1/webhooks: lists the endpoints of one tenant or of all, newest first, without their secrets. */
import { type Db, listWebhookEndpoints } from "@nightshift/db";
import { errors, listPage } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import type { RequestHandler } from "express";
import { isObjectId } from "../../object-id.ts";
import { textParser } from "../../request-schema.ts";
import { ADMIN_PAGE } from "../admin-page.ts";
import { presentWebhook } from "./present-webhook.ts";

/** The query of GET /admin/v1/webhooks. Unknown parameters are ignored. */
export const ListWebhooksQuery = Type.Object({
  ...ADMIN_PAGE,
  tenant: Type.Optional(Type.String({ description: "Only endpoints of this tenant." })),
});

const parseQuery = textParser(ListWebhooksQuery);

/** The list of an unknown tenant is empty. */
export function listWebhooksRoute({ db }: { readonly db: Db }): RequestHandler {
  return async (request, response) => {
    const { tenant = null, limit, after = null } = parseQuery({ ...request.query });
    if (tenant?.includes("\0")) throw errors.outOfRange("tenant", "the tenant does not exist");
    const page = after === null || isObjectId(after) ? await listWebhookEndpoints(db, { tenant, limit, after }) : null;
    if (page === null) throw errors.outOfRange("after", "it does not name an endpoint of this list");
    response.json(listPage(page.rows.map(presentWebhook), page.hasMore));
  };
}
