/** POST /v1/uploads/{upload_id}/parts: adds a part to an upload (contract §1.2). */
import type { BlobBackends } from "@nightshift/backends";
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
  MAX_UPLOAD_PART_BYTES,
  MAX_UPLOAD_PARTS,
  newPartId,
  type RandomBytes,
  RequestError,
} from "@nightshift/domain";
import type { ObjectInfo } from "@nightshift/storage";
import type { Request } from "express";
import { addField, notAFile, readFormParts } from "../../multipart/form-parts.ts";
import { idFromPath } from "../../object-id.ts";
import { discardBlobs, storeBlob } from "../../objects.ts";
import { toSeconds } from "../../present/seconds.ts";
import { presentPart } from "../../present/upload.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import { getUpload, lockKnownUpload, refuseUnlessPending } from "./pending-upload.ts";

/** The only field of the form. */
const FIELD = "data";

export interface AddPartDeps extends BlobBackends {
  readonly clock: () => Date;
  readonly random: RandomBytes;
}

/**
 * Streams the part to the object store, then writes its row if the upload is still pending. Parts may be sent in
 * parallel and in any order. A part that is sent again becomes another part, and `part_ids` selects the one to use.
 */
export function addPartRoute(deps: AddPartDeps): TenantHandler {
  return async (request, response, tenant) => {
    const upload = await getUpload(deps.db, tenant, idFromPath(request.params, "upload_id"), deps.clock());
    refuseUnlessPending(upload);
    const id = newPartId(deps.random, toSeconds(deps.clock()));
    const key = `uploads/${upload.id}/${id}`;
    const info = await receivePart(deps, request, key, upload.bytes);

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
      // After a database failure the row may exist. If it does, the blob is deleted with the upload. If not,
      // maintenance deletes it.
      if (error instanceof RequestError) await discardBlobs(deps, request, [key]);
      throw error;
    }
    response.json(presentPart(part));
  };
}

/**
 * Reads the form and resolves when the part is durable under `key`; the caller then owns the blob. If this rejects, for
 * example because the client disconnected, nothing is left.
 */
async function receivePart(
  deps: AddPartDeps,
  request: Request,
  key: string,
  declaredBytes: number,
): Promise<ObjectInfo> {
  const fields = Object.create(null) as Record<string, unknown>;
  let stored: ObjectInfo | null = null;
  try {
    for await (const part of readFormParts(request, FIELD)) {
      if (part.kind === "field") addField(fields, part);
      else stored = await storeBlob(deps, key, limited(part.content, declaredBytes));
    }
    if (stored === null && FIELD in fields) throw notAFile(FIELD);
    const [unknown] = Object.keys(fields);
    if (unknown !== undefined) throw errors.unknownParameter(unknown);
    if (stored === null) throw errors.missingParameter(FIELD);
    return stored;
  } catch (error) {
    if (stored !== null) await discardBlobs(deps, request, [key]);
    throw error;
  }
}

async function* limited(source: AsyncIterable<Uint8Array>, declaredBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > MAX_UPLOAD_PART_BYTES) {
      throw errors.outOfRange(FIELD, `a part may have at most ${String(MAX_UPLOAD_PART_BYTES)} bytes`);
    }
    if (bytes > declaredBytes) {
      throw errors.outOfRange(
        FIELD,
        `the part has more bytes than the ${String(declaredBytes)} that its upload declared`,
      );
    }
    yield chunk;
  }
}

/** Limits the number and the total size of parts, because clients may send a part again. */
async function refuseBeyondLimits(tx: Tx, upload: UploadView, bytes: number): Promise<void> {
  const stored = await partsTotal(tx, upload.id);
  if (stored.parts >= MAX_UPLOAD_PARTS) {
    throw errors.outOfRange(FIELD, `an upload may have at most ${String(MAX_UPLOAD_PARTS)} parts`);
  }
  if (stored.bytes + bytes > upload.bytes * MAX_UPLOAD_COPIES) {
    const declared = `${String(MAX_UPLOAD_COPIES)} times the ${String(upload.bytes)} bytes that it declared`;
    throw errors.outOfRange(
      FIELD,
      `the parts of the upload have more than ${declared}; cancel it and create a new one`,
    );
  }
}
