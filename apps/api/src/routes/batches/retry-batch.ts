/** POST /v1/batches/{batch_id}/retry: an extension; OpenAI has no such endpoint. */
import { type BatchView, findBatch } from "@nightshift/db";
import { errors, RequestError } from "@nightshift/domain";
import type { ObjectStore } from "@nightshift/storage";
import type { Response } from "express";
import { readJsonBody } from "../../json-body.ts";
import { keyIdOf } from "../../middleware/authenticate.ts";
import { idFromPath, isObjectId } from "../../object-id.ts";
import { presentBatch } from "../../present/batch.ts";
import { bodyParser } from "../../request-schema.ts";
import { chosenLines, RetryBatchBody } from "../../retry/chosen-lines.ts";
import { refuseUnlessRetryable, retryLines, type RetryLinesDeps } from "../../retry/retry-lines.ts";
import type { TenantHandler } from "../../tenant-routes.ts";

const parseBody = bodyParser(RetryBatchBody);

export interface RetryBatchDeps extends RetryLinesDeps {
  readonly objects: Pick<ObjectStore, "read" | "openRead">;
}

/**
 * Sends the batch's failed requests again, or those of them that the body names, and answers with the Batch object. A batch
 * without failed requests is answered as it is. Asking again for what runs already changes nothing, so the call may be
 * repeated. 409 where the batch is in no state for it, or its input or output file is gone.
 */
export function retryBatchRoute(deps: RetryBatchDeps): TenantHandler {
  return async (request, response, tenant) => {
    const id = idFromPath(request.params, "batch_id");
    const batch = isObjectId(id) ? await findBatch(deps.db, tenant, id) : null;
    if (batch === null) throw errors.batchNotFound(id);
    const body = parseBody(await readJsonBody(request, response));
    try {
      refuseUnlessRetryable(batch);
      const only = await chosenLines(deps.objects, batch, body);
      await retryLines(deps, batch, only, keyIdOf(request) ?? `tenant ${tenant}`);
    } catch (error) {
      sayWhetherToRepeat(response, batch, error);
      throw error;
    }
    response.json(presentBatch((await findBatch(deps.db, tenant, id)) ?? batch));
  };
}

/** The SDKs repeat a 409 by default (contract §5.3); only a batch whose files are being made will take it soon. */
function sayWhetherToRepeat(response: Response, batch: BatchView, error: unknown): void {
  if (!(error instanceof RequestError) || error.facts.kind !== "conflict") return;
  response.setHeader("x-should-retry", batch.status === "finalizing" ? "true" : "false");
}
