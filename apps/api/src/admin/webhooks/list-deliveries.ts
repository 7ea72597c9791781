/** GET /admin/v1/webhooks/{id}/deliveries: what became of the newest events, the newest first. */
import { type Db, listDeliveries } from "@nightshift/db";
import { listPage, MAX_SHOWN_DELIVERIES } from "@nightshift/domain";
import type { RequestHandler } from "express";
import { findWebhook } from "./find-webhook.ts";
import { presentDelivery } from "./present-webhook.ts";

/** At most 100, without paging: `has_more` says whether there are older ones. */
export function listWebhookDeliveriesRoute({ db }: { readonly db: Db }): RequestHandler {
  return async (request, response) => {
    const { id } = await findWebhook(db, request);
    const deliveries = await listDeliveries(db, id, MAX_SHOWN_DELIVERIES + 1);
    const shown = deliveries.slice(0, MAX_SHOWN_DELIVERIES).map(presentDelivery);
    response.json(listPage(shown, deliveries.length > shown.length));
  };
}
