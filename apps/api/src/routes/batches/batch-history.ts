/**
 * GET /v1/batches/{batch_id}/history, and the same of any tenant's batch below /admin/v1: what happened to the batch, and who asked
 * for it. Ours: docs/extensions.md, ADR 0025.
 */
import { type Db, findBatch, listBatchHistory, numberOfBatch } from "@nightshift/db";
import { errors, HISTORY_PAGE, listPage } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import type { Request, RequestHandler, Response } from "express";
import { idFromPath, isObjectId } from "../../object-id.ts";
import { historyEntryId, presentHistoryEntry } from "../../present/history.ts";
import { textParser } from "../../request-schema.ts";
import type { TenantHandler } from "../../tenant-routes.ts";

/** The query of both. Other keys are passed over. */
export const BatchHistoryQuery = Type.Object({
  limit: Type.Integer({
    minimum: 1,
    maximum: HISTORY_PAGE.max,
    default: HISTORY_PAGE.default,
    description: "The most entries that the page may have.",
  }),
  after: Type.Optional(Type.String({ description: "The id of the last entry of the page before." })),
});

const parseQuery = textParser(BatchHistoryQuery);

export interface BatchHistoryDeps {
  readonly db: Db;
}

/** Answers with a page of the batch's history, the newest entry first: its states, and each retry with its outcome. */
export function batchHistoryRoute(deps: BatchHistoryDeps): TenantHandler {
  return async (request, response, tenant) => {
    const id = idFromPath(request.params, "batch_id");
    const batch = isObjectId(id) ? await findBatch(deps.db, tenant, id) : null;
    await sendHistory(deps, request, response, batch?.batchNo ?? null);
  };
}

/** The same for admins, whose batch it may ever be. */
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
  if (page === null) throw errors.outOfRange("after", "it names no entry of this batch's history");
  response.json(
    listPage(
      page.rows.map((entry) => presentHistoryEntry(id, entry)),
      page.hasMore,
    ),
  );
}
