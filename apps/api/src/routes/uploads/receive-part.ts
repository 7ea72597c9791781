/** Reads one part of an upload: a form with the binary field `data` alone, contract §1.2. */
import { errors, MAX_UPLOAD_PART_BYTES } from "@nightshift/domain";
import type { ObjectInfo } from "@nightshift/storage";
import type { Request, Response } from "express";
import { formBytes, notAFile, readFormFile } from "../../multipart/form-parts.ts";
import { discardUpload, type UploadDeps, writeNoted } from "../../noted-object.ts";

const FIELD = "data";

/**
 * Streams the part to the object store, and resolves when it is durable under `key`; the caller then owns it. Otherwise,
 * also where the client goes away, it rejects and nothing is left. A part has at most 64 MiB, and at most the bytes that
 * its upload declared.
 */
export async function receivePart(
  deps: UploadDeps,
  request: Request,
  response: Response,
  { key, declaredBytes }: { readonly key: string; readonly declaredBytes: number },
): Promise<ObjectInfo> {
  const received: { info: ObjectInfo | null } = { info: null };
  await readFormFile(request, response, FIELD, {
    store: async ({ stream }) => {
      received.info = await writeNoted(
        deps,
        key,
        formBytes(stream, (_chunk, bytes) => {
          refuseTooLarge(bytes, declaredBytes);
        }),
      );
      return received.info.bytes;
    },
    discard: () => discardUpload(deps, request, key),
  });
  const fault = faultOf(request.body as Record<string, unknown>, received.info);
  if (received.info !== null && fault === null) return received.info;
  if (received.info !== null) await discardUpload(deps, request, key);
  throw fault ?? errors.missingParameter(FIELD);
}

function refuseTooLarge(bytes: number, declaredBytes: number): void {
  if (bytes > MAX_UPLOAD_PART_BYTES) {
    throw errors.outOfRange(FIELD, `a part may have at most ${String(MAX_UPLOAD_PART_BYTES)} bytes`);
  }
  if (bytes > declaredBytes) {
    throw errors.outOfRange(
      FIELD,
      `the part has more bytes than the ${String(declaredBytes)} that its upload declared`,
    );
  }
}

function faultOf(fields: Record<string, unknown>, info: ObjectInfo | null): Error | null {
  if (info === null && FIELD in fields) {
    return notAFile(FIELD);
  }
  const [unknown] = Object.keys(fields);
  return unknown === undefined ? null : errors.unknownParameter(unknown);
}
