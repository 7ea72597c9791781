/** GET /v1/files/{file_id}: retrieves a file (contract §1.1). */
import { type Db, type FileView, findFile } from "@nightshift/db";
import { errors } from "@nightshift/domain";
import { idFromPath, isObjectId } from "../../object-id.ts";
import { presentFile } from "../../present/file.ts";
import type { TenantHandler } from "../../tenant-routes.ts";

export interface FindFileDeps {
  readonly db: Db;
  readonly clock: () => Date;
}

/** Replies with the File object. */
export function retrieveFileRoute(deps: FindFileDeps): TenantHandler {
  return async (request, response, tenant) => {
    response.json(presentFile(await getFile(deps, tenant, idFromPath(request.params, "file_id"))));
  };
}

/**
 * Returns the tenant's file. Throws the same RequestError if the file is unknown, deleted, expired, or another
 * tenant's.
 */
export async function getFile({ db, clock }: FindFileDeps, tenant: string, id: string): Promise<FileView> {
  const file = isObjectId(id) ? await findFile(db, tenant, id, clock()) : null;
  if (file === null) throw errors.fileNotFound(id);
  return file;
}
