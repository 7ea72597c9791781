/** POST /v1/uploads/{upload_id}/cancel: contract §1.2. Its body is not looked at: clients send none, but call it JSON. */
import { markCancelled, partBlobs, type UploadView, withTx } from "@nightshift/db";
import { idFromPath } from "../../object-id.ts";
import { presentUpload } from "../../present/upload.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import { discardObjects, type UploadDeps } from "../../noted-object.ts";
import { getUpload, lockKnownUpload, refuseUnlessPending } from "./pending-upload.ts";

export interface CancelUploadDeps extends UploadDeps {
  readonly clock: () => Date;
}

/**
 * Answers with the upload in `cancelled`, and deletes its parts. Again it answers the same, for the sake of a client that
 * did not hear the first reply; 400 where the upload is completed or expired.
 */
export function cancelUploadRoute(deps: CancelUploadDeps): TenantHandler {
  return async (request, response, tenant) => {
    const now = deps.clock();
    const found = await getUpload(deps.db, tenant, idFromPath(request.params, "upload_id"), now);
    const cancelled = await withTx(deps.db, async (tx): Promise<UploadView> => {
      const upload = await lockKnownUpload(tx, found, now);
      if (upload.status === "cancelled") return upload;
      refuseUnlessPending(upload);
      await markCancelled(tx, upload.id);
      return { ...upload, status: "cancelled" };
    });
    await discardObjects(deps, request, await partBlobs(deps.db, cancelled.id));
    response.json(presentUpload(cancelled));
  };
}
