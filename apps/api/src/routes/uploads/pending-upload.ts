/** Finds the upload that a request acts on. */
import { type Db, findUpload, lockUpload, type Tx, type UploadView } from "@nightshift/db";
import { errors } from "@nightshift/domain";
import { isObjectId } from "../../object-id.ts";

/**
 * Returns the tenant's upload at `now`. Throws the same RequestError for an unknown id and for another tenant's upload.
 */
export async function getUpload(db: Db, tenant: string, id: string, now: Date): Promise<UploadView> {
  const upload = isObjectId(id) ? await findUpload(db, tenant, id, now) : null;
  if (upload === null) throw errors.uploadNotFound(id);
  return upload;
}

/** Reads an upload that was found before, and locks it until the transaction ends. */
export async function lockKnownUpload(tx: Tx, { tenant, id }: UploadView, now: Date): Promise<UploadView> {
  const upload = await lockUpload(tx, tenant, id, now);
  if (upload === null) throw errors.uploadNotFound(id);
  return upload;
}

/** Throws unless the upload accepts parts and can be completed or cancelled. */
export function refuseUnlessPending({ id, status }: UploadView): void {
  if (status !== "pending") throw errors.uploadIsOver(id, status);
}
