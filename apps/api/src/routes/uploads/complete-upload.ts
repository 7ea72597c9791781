/** POST /v1/uploads/{upload_id}/complete: turns an upload into a file (contract §1.2). */
import type { BlobBackends } from "@nightshift/backends";
import {
  findParts,
  markCompleted,
  type NewFile,
  partBlobs,
  registerFile,
  type UploadPartView,
  type UploadView,
  withTx,
} from "@nightshift/db";
import { CompleteUploadBody, errors, newFileId, type RandomBytes } from "@nightshift/domain";
import type { Counter } from "@nightshift/service";
import type { ObjectInfo } from "@nightshift/storage";
import type { Request } from "express";
import { readJsonBody } from "../../json-body.ts";
import { idFromPath, isObjectId } from "../../object-id.ts";
import { discardBlobs, joinBlobs, onObjectStore } from "../../objects.ts";
import { fileExpiry, presentUpload } from "../../present/upload.ts";
import { bodyParser } from "../../request-schema.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import type { TenantLimits } from "../../tiers/tenant-limits.ts";
import { reserveStorage } from "../../tiers/upload-limits.ts";
import { checkJoinedContent, readMd5 } from "./joined-content.ts";
import { getUpload, lockKnownUpload } from "./pending-upload.ts";

const parseBody = bodyParser(CompleteUploadBody);

export interface CompleteUploadDeps extends BlobBackends {
  readonly clock: () => Date;
  readonly random: RandomBytes;
  readonly limitsOf: TenantLimits;
  /** Counts the bytes of uploads that became files. */
  readonly uploadedBytes: Pick<Counter, "inc">;
}

/** A request to complete an upload that was pending at `now`. */
interface Completion {
  readonly upload: UploadView;
  readonly partIds: readonly string[];
  readonly md5: Buffer | null;
  readonly now: Date;
}

/**
 * Joins the listed parts, in their order, into a file, and deletes all parts of the upload. A completion is refused,
 * and the upload stays pending, if a part is not of this upload, the size is not the declared size, or the MD5 or the
 * first line is wrong. A completion with the same parts as before gets the same reply, because its client may have
 * missed the first reply.
 *
 * The object store joins the parts. Bytes pass through this process only if the store cannot copy them (a folder, parts
 * of up to 5 MiB on S3), for the first line of a batch's input, and for an `md5`, which needs one more read of each
 * part.
 */
export function completeUploadRoute(deps: CompleteUploadDeps): TenantHandler {
  return async (request, response, tenant) => {
    const now = deps.clock();
    const upload = await getUpload(deps.db, tenant, idFromPath(request.params, "upload_id"), now);
    const body = parseBody(await readJsonBody(request, response));
    const completion = { upload, partIds: body.part_ids, md5: readMd5(body.md5), now };
    const completed = upload.status === "pending" ? await complete(deps, request, completion) : upload;
    refuseUnlessCompletedWith(completed, body.part_ids);
    response.json(presentUpload(completed));
  };
}

/** Returns the upload after it has ended: completed by this request, or ended by another one. */
async function complete(deps: CompleteUploadDeps, request: Request, completion: Completion): Promise<UploadView> {
  const { upload, partIds, md5, now } = completion;
  const id = newFileId(deps.random);
  const key = `files/${id}`;
  let info: ObjectInfo;
  try {
    const parts = inOrder(await findParts(deps.db, upload.id, partIds.filter(isObjectId)), upload, partIds);
    const demands = { isBatchInput: upload.purpose === "batch", md5 };
    await onObjectStore(() => checkJoinedContent(deps.objects, parts, demands));
    info = await joinBlobs(deps, key, parts);
  } catch (error) {
    // Another request may have ended the upload and deleted its parts. Its outcome then explains the failure.
    const ended = await getUpload(deps.db, upload.tenant, upload.id, now);
    if (ended.status === "pending") throw error;
    return ended;
  }
  const { view, isOurs } = await markWithFile(deps, completion, id, { key, ...info });
  if (isOurs) deps.uploadedBytes.inc(info.bytes);
  else await discardBlobs(deps, request, [key]);
  await discardBlobs(deps, request, await partBlobs(deps.db, upload.id));
  return view;
}

/**
 * Makes the joined blob the upload's file, unless the upload has ended. After a failure of the database the blob stays,
 * because the file may exist. If it does not, maintenance deletes the blob.
 */
async function markWithFile(
  deps: CompleteUploadDeps,
  { upload, partIds, now }: Completion,
  fileId: string,
  blob: { readonly key: string } & ObjectInfo,
): Promise<{ view: UploadView; isOurs: boolean }> {
  const limits = await deps.limitsOf(upload.tenant);
  return withTx(deps.db, async (tx) => {
    const view = await lockKnownUpload(tx, upload, now);
    if (view.status !== "pending") return { view, isOurs: false };
    const { tenant, purpose, filename } = upload;
    const file: NewFile = {
      id: fileId,
      tenant,
      purpose,
      filename,
      bytes: blob.bytes,
      blob: blob.key,
      createdAt: now,
      expiresAt: fileExpiry(upload, now),
    };
    await reserveStorage(tx, limits, file);
    await registerFile(tx, file, blob.etag);
    await markCompleted(tx, upload.id, { fileId, partIds, completedAt: now });
    return { view: { ...view, status: "completed", fileId, partIds: [...partIds], completedAt: now }, isOurs: true };
  });
}

/**
 * Returns the parts in the order of `partIds`. Throws if a part is not of this upload, or if their size is not the
 * declared size.
 */
function inOrder(found: readonly UploadPartView[], upload: UploadView, partIds: readonly string[]): UploadPartView[] {
  const byId = new Map(found.map((part) => [part.id, part]));
  const listed = new Set<string>();
  const parts = partIds.map((id) => {
    const part = byId.get(id);
    if (part === undefined) throw errors.outOfRange("part_ids", `'${id}' is not a part of this upload`);
    if (listed.has(id)) throw errors.outOfRange("part_ids", `'${id}' is listed twice`);
    listed.add(id);
    return part;
  });
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (bytes !== upload.bytes) {
    const sizes = `${String(bytes)} bytes together, but the upload declared ${String(upload.bytes)}`;
    throw errors.outOfRange("part_ids", `the listed parts have ${sizes}`);
  }
  return parts;
}

/**
 * Throws unless the upload was completed with these parts. The first completion checked the `md5` against the same
 * parts, so it is not checked again.
 */
function refuseUnlessCompletedWith(upload: UploadView, partIds: readonly string[]): void {
  if (upload.status !== "completed") throw errors.uploadIsOver(upload.id, upload.status);
  const isSame = upload.partIds?.length === partIds.length && upload.partIds.every((id, at) => id === partIds[at]);
  if (!isSame) throw errors.outOfRange("part_ids", "the upload was completed with other parts");
}
