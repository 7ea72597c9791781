/** GET /v1/files/{file_id}: contract §1.1. */
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

/** The tenant's file. Throws the same RequestError for a file that is unknown, another tenant's, deleted or expired. */
export async function getFile({ db, clock }: FindFileDeps, tenant: string, id: string): Promise<FileView> {
  const file = isObjectId(id) ? await findFile(db, tenant, id, clock()) : null;
  if (file === null) throw errors.fileNotFound(id);
  return file;
}
