/** POST /v1/uploads: starts an upload in parts (contract §1.2). */
import { type Db, insertUpload, type UploadView } from "@nightshift/db";
import { CreateUploadBody, errors, newUploadId, type RandomBytes, UPLOAD_LIFE_SECONDS } from "@nightshift/domain";
import { readJsonBody } from "../../json-body.ts";
import { toSeconds } from "../../present/seconds.ts";
import { presentUpload } from "../../present/upload.ts";
import { bodyParser } from "../../request-schema.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import type { TenantLimits } from "../../tiers/tenant-limits.ts";
import { uploadLimit } from "../../tiers/upload-limits.ts";
import { refuseWrongExtension } from "../files/batch-input.ts";
import { fileLifeSeconds, maxUploadBytesOf, parsePurpose } from "../files/file-form.ts";

const parseBody = bodyParser(CreateUploadBody);

export interface CreateUploadDeps {
  readonly db: Db;
  readonly clock: () => Date;
  readonly random: RandomBytes;
  readonly limitsOf: TenantLimits;
  /** Seconds that a file of purpose `batch` lives if the request sets no expiry. Null if it does not expire. */
  readonly batchFileLifeSeconds: number | null;
}

/**
 * Creates a pending upload, which lives for an hour. The rules and messages for purpose, size and extension are the
 * same as for POST /v1/files, except that a file that is not for a batch may have 8 GiB.
 */
export function createUploadRoute(deps: CreateUploadDeps): TenantHandler {
  return async (request, response, tenant) => {
    const body = parseBody(await readJsonBody(request, response));
    const purpose = parsePurpose(body.purpose);
    const filename = baseName(body.filename);
    if (body.bytes > maxUploadBytesOf(purpose)) throw errors.fileTooLarge(maxUploadBytesOf(purpose));
    if (purpose === "batch") refuseWrongExtension(filename);
    if (body.mime_type.includes("\0")) throw errors.outOfRange("mime_type", "it must not contain NUL");

    const now = deps.clock();
    const limit = await uploadLimit(deps.db, await deps.limitsOf(tenant), { tenant, now, contentLength: undefined });
    if (body.bytes > limit.maxBytes) throw limit.refusal();
    const upload: UploadView = {
      id: newUploadId(deps.random, toSeconds(now)),
      tenant,
      purpose,
      filename,
      mimeType: body.mime_type,
      bytes: body.bytes,
      fileExpiresAfterSeconds: fileLifeSeconds(purpose, body.expires_after?.seconds, deps.batchFileLifeSeconds),
      createdAt: now,
      expiresAt: new Date(now.getTime() + UPLOAD_LIFE_SECONDS * 1000),
      status: "pending",
      completedAt: null,
      fileId: null,
      partIds: null,
    };
    await insertUpload(deps.db, upload);
    response.json(presentUpload(upload));
  };
}

/** Drops folders and NULs, as POST /v1/files does. */
function baseName(filename: string): string {
  const name = filename.replaceAll("\0", "").replace(/^.*[/\\]/s, "");
  if (name === "") throw errors.outOfRange("filename", "it must name a file, not a folder");
  return name;
}
