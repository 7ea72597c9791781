/** POST /v1/uploads/{upload_id}/parts: contract §1.2. */
import {
  insertBlob,
  insertPart,
  type NewUploadPart,
  partsTotal,
  type Tx,
  type UploadView,
  withTx,
} from "@nightshift/db";
import {
  errors,
  MAX_UPLOAD_COPIES,
  MAX_UPLOAD_PARTS,
  newPartId,
  type RandomBytes,
  RequestError,
} from "@nightshift/domain";
import { idFromPath } from "../../object-id.ts";
import { toSeconds } from "../../present/seconds.ts";
import { presentPart } from "../../present/upload.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import { discardUpload, type UploadDeps } from "../../noted-object.ts";
import { receivePart } from "./receive-part.ts";
import { getUpload, lockKnownUpload, refuseUnlessPending } from "./pending-upload.ts";

export interface AddPartDeps extends UploadDeps {
  readonly clock: () => Date;
  readonly random: RandomBytes;
}

/**
 * Streams the part to the object store, then writes its row, if the upload is still pending. Parts may be sent beside
 * each other and in any order; one that is sent again is another part, and `part_ids` says which of them counts.
 */
export function addPartRoute(deps: AddPartDeps): TenantHandler {
  return async (request, response, tenant) => {
    const upload = await getUpload(deps.db, tenant, idFromPath(request.params, "upload_id"), deps.clock());
    refuseUnlessPending(upload);
    const id = newPartId(deps.random, toSeconds(deps.clock()));
    const key = `uploads/${upload.id}/${id}`;
    const info = await receivePart(deps, request, response, { key, declaredBytes: upload.bytes });

    const now = deps.clock();
    const part: NewUploadPart = { id, upload: upload.id, bytes: info.bytes, blob: key, createdAt: now };
    try {
      await withTx(deps.db, async (tx) => {
        refuseUnlessPending(await lockKnownUpload(tx, upload, now));
        await refuseBeyondLimits(tx, upload, info.bytes);
        await insertBlob(tx, { key, ...info });
        await insertPart(tx, part);
      });
    } catch (error) {
      // After a failure of the database the row may be there all the same; it then goes with its upload, or maintenance finds the note.
      if (error instanceof RequestError) await discardUpload(deps, request, key);
      throw error;
    }
    response.json(presentPart(part));
  };
}

/** Parts that were sent again are allowed for, an endless number of them is not. */
async function refuseBeyondLimits(tx: Tx, upload: UploadView, bytes: number): Promise<void> {
  const stored = await partsTotal(tx, upload.id);
  if (stored.parts >= MAX_UPLOAD_PARTS) {
    throw errors.outOfRange("data", `an upload may have at most ${String(MAX_UPLOAD_PARTS)} parts`);
  }
  if (stored.bytes + bytes > upload.bytes * MAX_UPLOAD_COPIES) {
    const declared = `${String(MAX_UPLOAD_COPIES)} times the ${String(upload.bytes)} bytes that it declared`;
    throw errors.outOfRange(
      "data",
      `the parts of the upload have more than ${declared}; cancel it and create a new one`,
    );
  }
}
