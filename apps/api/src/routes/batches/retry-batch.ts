/** POST /v1/batches/{batch_id}/retry: retries failed requests. This is an extension: docs/extensions.md. */
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
 * Retries the failed requests of the batch, or only the ones in the body, and sends the Batch object. A batch without
 * failed requests does not change. The call can be repeated: requests that are already being retried are skipped.
 * Returns 409 if the state of the batch does not allow a retry, or if its input or output file was deleted.
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
      setShouldRetry(response, batch, error);
      throw error;
    }
    response.json(presentBatch((await findBatch(deps.db, tenant, id)) ?? batch));
  };
}

/** The SDKs retry a 409 by default (contract §5.3). That helps only in `finalizing`, which ends soon. */
function setShouldRetry(response: Response, batch: BatchView, error: unknown): void {
  if (!(error instanceof RequestError) || error.facts.kind !== "conflict") return;
  response.setHeader("x-should-retry", batch.status === "finalizing" ? "true" : "false");
}
