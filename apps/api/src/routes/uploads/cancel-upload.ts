/**
 * POST /v1/uploads/{upload_id}/cancel: cancels an upload (contract §1.2). The body is ignored, because clients send an
 * empty body with a JSON content type.
 */
import type { BlobBackends } from "@nightshift/backends";
import { markCancelled, partBlobs, type UploadView, withTx } from "@nightshift/db";
import { idFromPath } from "../../object-id.ts";
import { discardBlobs } from "../../objects.ts";
import { presentUpload } from "../../present/upload.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import { getUpload, lockKnownUpload, refuseUnlessPending } from "./pending-upload.ts";

export interface CancelUploadDeps extends BlobBackends {
  readonly clock: () => Date;
}

/**
 * Cancels the upload and deletes its parts. A second request gets the same reply, because its client may have missed
 * the first reply. A completed or expired upload returns 400.
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
    await discardBlobs(deps, request, await partBlobs(deps.db, cancelled.id));
    response.json(presentUpload(cancelled));
  };
}
