/** GET /v1/batches: lists batches (contract §1.3). */
import { type Db, listBatches as listBatchRows } from "@nightshift/db";
import { BATCH_PAGE, errors, listPage } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import { isObjectId } from "../../object-id.ts";
import { presentBatch } from "../../present/batch.ts";
import { textParser } from "../../request-schema.ts";
import type { TenantHandler } from "../../tenant-routes.ts";

/** The query of GET /v1/batches. Unknown parameters are ignored. */
export const ListBatchesQuery = Type.Object({
  limit: Type.Integer({
    minimum: 1,
    maximum: BATCH_PAGE.max,
    default: BATCH_PAGE.default,
    description: "The maximum number of batches on the page.",
  }),
  after: Type.Optional(Type.String({ description: "The id of the last batch of the previous page." })),
});

const parseQuery = textParser(ListBatchesQuery);

/** Sends a page of the batches of the tenant, newest first. */
export function listBatchesRoute({ db }: { readonly db: Db }): TenantHandler {
  return async (request, response, tenant) => {
    const { limit, after = null } = parseQuery({ ...request.query });
    const page = after === null || isObjectId(after) ? await listBatchRows(db, tenant, { limit, after }) : null;
    if (page === null) throw errors.outOfRange("after", "it does not name a batch of this list");
    response.json(listPage(page.rows.map(presentBatch), page.hasMore));
  };
}
