/** DELETE /v1/files/{file_id}: deletes a file (contract §1.1). */
import { deleteFile } from "@nightshift/db";
import { type DeletedFile, errors } from "@nightshift/domain";
import { idFromPath, isObjectId } from "../../object-id.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import type { FindFileDeps } from "./retrieve-file.ts";

/** Removes the file from its tenant at once. A second request returns 404. */
export function deleteFileRoute({ db, clock }: FindFileDeps): TenantHandler {
  return async (request, response, tenant) => {
    const id = idFromPath(request.params, "file_id");
    const isDeleted = isObjectId(id) && (await deleteFile(db, tenant, id, clock()));
    if (!isDeleted) throw errors.fileNotFound(id);
    response.json({ object: "file", id, deleted: true } satisfies DeletedFile);
  };
}
