/** GET /v1/batches/{batch_id}: retrieves a batch (contract §1.3). */
import { type Db, findBatch } from "@nightshift/db";
import { errors } from "@nightshift/domain";
import { idFromPath, isObjectId } from "../../object-id.ts";
import { presentBatch } from "../../present/batch.ts";
import type { TenantHandler } from "../../tenant-routes.ts";

/** Sends the Batch object. The reply for another tenant's batch is the same as for a batch that does not exist. */
export function retrieveBatchRoute({ db }: { readonly db: Db }): TenantHandler {
  return async (request, response, tenant) => {
    const id = idFromPath(request.params, "batch_id");
    const batch = isObjectId(id) ? await findBatch(db, tenant, id) : null;
    if (batch === null) throw errors.batchNotFound(id);
    response.json(presentBatch(batch));
  };
}
