/** Finds the upload that a request acts on. */
import { type Db, findUpload, lockUpload, type Tx, type UploadView } from "@nightshift/db";
import { errors } from "@nightshift/domain";
import { isObjectId } from "../../object-id.ts";

/** The tenant's upload as it is at `now`; the same RequestError whether it is unknown or another tenant's. */
export async function getUpload(db: Db, tenant: string, id: string, now: Date): Promise<UploadView> {
  const upload = isObjectId(id) ? await findUpload(db, tenant, id, now) : null;
  if (upload === null) throw errors.uploadNotFound(id);
  return upload;
}

/** Locks an upload that was found before until the transaction is over; nobody else changes it meanwhile. */
export async function lockKnownUpload(tx: Tx, { tenant, id }: UploadView, now: Date): Promise<UploadView> {
  const upload = await lockUpload(tx, tenant, id, now);
  if (upload === null) throw errors.uploadNotFound(id);
  return upload;
}

/** Throws unless the upload still takes parts and can be ended. */
export function refuseUnlessPending({ id, status }: UploadView): void {
  if (status !== "pending") throw errors.uploadIsOver(id, status);
}
