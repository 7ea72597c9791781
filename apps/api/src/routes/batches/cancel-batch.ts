/**
 * POST /v1/batches/{batch_id}/cancel: cancels a batch (contract §3.3). The body is ignored, because clients send an
 * empty body with a JSON content type.
 */
import { type Db, requestCancel } from "@nightshift/db";
import { errors } from "@nightshift/domain";
import { idFromPath, isObjectId } from "../../object-id.ts";
import { presentBatch } from "../../present/batch.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import { type NotifyDeps, notifyWorker } from "./notify-worker.ts";

export interface CancelBatchDeps extends NotifyDeps {
  readonly db: Db;
  readonly clock: () => Date;
}

/**
 * Sends the batch in `cancelling`, or unchanged if it was cancelled before. Returns 409 if the batch ended in another
 * way.
 */
export function cancelBatchRoute(deps: CancelBatchDeps): TenantHandler {
  return async (request, response, tenant) => {
    const id = idFromPath(request.params, "batch_id");
    const found = isObjectId(id) ? await requestCancel(deps.db, tenant, id, deps.clock()) : null;
    if (found === null) throw errors.batchNotFound(id);
    if (found.outcome === "final") {
      // The SDKs retry a 409 by default (contract §5.3), which would not help.
      response.setHeader("x-should-retry", "false");
      throw errors.cannotCancel(found.batch.status);
    }
    if (found.batch.status === "cancelling") await notifyWorker(deps, request, found.batch.batchNo);
    response.json(presentBatch(found.batch));
  };
}
