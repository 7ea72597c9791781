/**
 * GET /v1/batches/{batch_id}/history: what happened to a batch, and who requested it. The same route under /admin/v1
 * shows the history of any tenant's batch. This is an extension: docs/extensions.md, ADR 25.
 */
import { type Db, findBatch, listBatchHistory, numberOfBatch } from "@nightshift/db";
import { errors, HISTORY_PAGE, listPage } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import type { Request, RequestHandler, Response } from "express";
import { idFromPath, isObjectId } from "../../object-id.ts";
import { historyEntryId, presentHistoryEntry } from "../../present/history.ts";
import { textParser } from "../../request-schema.ts";
import type { TenantHandler } from "../../tenant-routes.ts";

/** The query of both routes. Unknown parameters are ignored. */
export const BatchHistoryQuery = Type.Object({
  limit: Type.Integer({
    minimum: 1,
    maximum: HISTORY_PAGE.max,
    default: HISTORY_PAGE.default,
    description: "The maximum number of entries on the page.",
  }),
  after: Type.Optional(Type.String({ description: "The id of the last entry of the previous page." })),
});

const parseQuery = textParser(BatchHistoryQuery);

export interface BatchHistoryDeps {
  readonly db: Db;
}

/** Sends a page of the history, newest first: the states of the batch, and each retry with its outcome. */
export function batchHistoryRoute(deps: BatchHistoryDeps): TenantHandler {
  return async (request, response, tenant) => {
    const id = idFromPath(request.params, "batch_id");
    const batch = isObjectId(id) ? await findBatch(deps.db, tenant, id) : null;
    await sendHistory(deps, request, response, batch?.batchNo ?? null);
  };
}

/** Does the same for admins, who can read the history of any batch. */
export function anyBatchHistoryRoute(deps: BatchHistoryDeps): RequestHandler {
  return async (request, response) => {
    const id = idFromPath(request.params, "batch_id");
    await sendHistory(deps, request, response, isObjectId(id) ? await numberOfBatch(deps.db, id) : null);
  };
}

async function sendHistory(
  { db }: BatchHistoryDeps,
  request: Request,
  response: Response,
  batchNo: number | null,
): Promise<void> {
  const id = idFromPath(request.params, "batch_id");
  if (batchNo === null) throw errors.batchNotFound(id);
  const { limit, after } = parseQuery({ ...request.query });
  const cursor = after === undefined ? null : historyEntryId(after);
  const isCursor = after === undefined || cursor !== null;
  const page = isCursor ? await listBatchHistory(db, batchNo, { limit, after: cursor }) : null;
  if (page === null) throw errors.outOfRange("after", "it does not name an entry of this batch's history");
  response.json(
    listPage(
      page.rows.map((entry) => presentHistoryEntry(id, entry)),
      page.hasMore,
    ),
  );
}
