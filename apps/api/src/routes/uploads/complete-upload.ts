/** POST /v1/uploads/{upload_id}/complete: contract §1.2. */
import {
  findParts,
  insertBlob,
  insertFile,
  markCompleted,
  partBlobs,
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
import { onObjectStore } from "../../object-store-errors.ts";
import { fileExpiry, presentUpload } from "../../present/upload.ts";
import { bodyParser } from "../../request-schema.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import type { TenantLimits } from "../../tiers/tenant-limits.ts";
import { reserveStorage } from "../../tiers/upload-limits.ts";
import { checkJoinedContent, readMd5 } from "./joined-content.ts";
import { discardObjects, discardUpload, joinNoted, type UploadDeps } from "../../noted-object.ts";
import { getUpload, lockKnownUpload } from "./pending-upload.ts";

const parseBody = bodyParser(CompleteUploadBody);

export interface CompleteUploadDeps extends UploadDeps {
  readonly clock: () => Date;
  readonly random: RandomBytes;
  readonly limitsOf: TenantLimits;
  /** Bytes of uploads that became files. */
  readonly uploadedBytes: Pick<Counter, "inc">;
}

/** One request to complete an upload that was pending at `now`. */
interface Completion {
  readonly upload: UploadView;
  readonly partIds: readonly string[];
  readonly md5: Buffer | null;
  readonly now: Date;
}

/**
 * Joins the listed parts, in their order, into a file, and deletes all parts of the upload. What is refused, because the
 * parts are not those of the upload, not as large as it declared, or not what the MD5 or the purpose demands, leaves it
 * pending. An upload that the same parts completed before is answered with again: its client may not have heard the reply.
 *
 * The object store does the joining. Bytes pass through this process only where it cannot copy them (a folder, parts of
 * S3 up to 5 MiB), for the first line of a batch's input, and for an `md5`, which makes every part be read once more.
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

/** The upload as it is then: completed by this request, or ended by another one in the meantime. */
async function complete(deps: CompleteUploadDeps, request: Request, completion: Completion): Promise<UploadView> {
  const { upload, partIds, md5, now } = completion;
  const id = newFileId(deps.random);
  const key = `files/${id}`;
  let info: ObjectInfo;
  try {
    const parts = inOrder(await findParts(deps.db, upload.id, partIds.filter(isObjectId)), upload, partIds);
    const demands = { isBatchInput: upload.purpose === "batch", md5 };
    await onObjectStore(() => checkJoinedContent(deps.objects, parts, demands));
    info = await joinNoted(deps, key, parts);
  } catch (error) {
    // Whoever ended the upload while we were at it has deleted its parts: how it ended is the better answer.
    const ended = await getUpload(deps.db, upload.tenant, upload.id, now);
    if (ended.status === "pending") throw error;
    return ended;
  }
  const { view, isOurs } = await keep(deps, completion, id, { key, ...info });
  if (isOurs) deps.uploadedBytes.inc(info.bytes);
  else await discardUpload(deps, request, key);
  await discardObjects(deps, request, await partBlobs(deps.db, upload.id));
  return view;
}

/**
 * Makes the joined object the upload's file, unless the upload has ended. After a failure of the database the object stays,
 * because the file may be there all the same; where it is not, maintenance finds the blob's note.
 */
async function keep(
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
    const expiresAt = fileExpiry(upload, now);
    await reserveStorage(tx, limits, { tenant, bytes: blob.bytes, createdAt: now });
    await insertBlob(tx, blob);
    await insertFile(tx, {
      id: fileId,
      tenant,
      purpose,
      filename,
      bytes: blob.bytes,
      blob: blob.key,
      createdAt: now,
      expiresAt,
    });
    await markCompleted(tx, upload.id, { fileId, partIds, completedAt: now });
    return { view: { ...view, status: "completed", fileId, partIds: [...partIds], completedAt: now }, isOurs: true };
  });
}

/** The parts as the client ordered them; throws where they are not all of this upload, or not what it declared. */
function inOrder(found: readonly UploadPartView[], upload: UploadView, partIds: readonly string[]): UploadPartView[] {
  const byId = new Map(found.map((part) => [part.id, part]));
  const listed = new Set<string>();
  const parts = partIds.map((id) => {
    const part = byId.get(id);
    if (part === undefined) throw errors.outOfRange("part_ids", `'${id}' is no part of this upload`);
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

/** `md5` is not looked at again: it was the content of these very parts that was found good. */
function refuseUnlessCompletedWith(upload: UploadView, partIds: readonly string[]): void {
  if (upload.status !== "completed") throw errors.uploadIsOver(upload.id, upload.status);
  const isSame = upload.partIds?.length === partIds.length && upload.partIds.every((id, at) => id === partIds[at]);
  if (!isSame) throw errors.outOfRange("part_ids", "the upload was completed with other parts");
}
