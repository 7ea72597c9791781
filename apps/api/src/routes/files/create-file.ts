/** POST /v1/files: contract §1.1. */
import { findFile, insertBlob, insertFile, type NewFile, type Tx, withTx } from "@nightshift/db";
import { newFileId, type RandomBytes } from "@nightshift/domain";
import type { Counter } from "@nightshift/service";
import type { Request } from "express";
import { claimFor, hashRequest, readIdempotencyKey, replay } from "../../idempotency.ts";
import { presentFile } from "../../present/file.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import type { TenantLimits } from "../../tiers/tenant-limits.ts";
import { reserveStorage, uploadLimit } from "../../tiers/upload-limits.ts";
import { discardUpload } from "../../noted-object.ts";
import { receiveUpload, type ReceivedUpload, type UploadDeps } from "./receive-file.ts";

export interface CreateFileDeps extends UploadDeps {
  readonly clock: () => Date;
  readonly random: RandomBytes;
  readonly limitsOf: TenantLimits;
  /** Bytes of uploads that became files. */
  readonly uploadedBytes: Pick<Counter, "inc">;
}

/**
 * Streams the upload to the object store, then writes the file's row: a file is never there without its bytes. With an
 * `Idempotency-Key` the same upload again is answered with the file that the first one made. What an upload asks for is known
 * only when its last byte is in, so the key is claimed then: of two at once, both are read and one makes the file.
 */
export function createFileRoute(deps: CreateFileDeps): TenantHandler {
  return async (request, response, tenant) => {
    const key = readIdempotencyKey(request);
    const id = newFileId(deps.random);
    const limits = await deps.limitsOf(tenant);
    const contentLength = request.headers["content-length"];
    const limit = await uploadLimit(deps.db, limits, { tenant, now: deps.clock(), contentLength });
    const upload = await receiveUpload({ ...deps, limit }, request, response, {
      key: `files/${id}`,
      wantsHash: key !== null,
    });
    const now = deps.clock();
    const file = newFile(upload, id, tenant, now);
    const claim = key === null ? undefined : claimOf(upload, file, key, now);
    try {
      await keep(deps, request, upload, file, async (tx) => {
        await claim?.(tx);
        await reserveStorage(tx, limits, file);
      });
    } catch (error) {
      if (key === null) throw error;
      response.json(presentFile(await replay(response, error, (made) => findFile(deps.db, tenant, made, now))));
      return;
    }
    deps.uploadedBytes.inc(file.bytes);
    response.json(presentFile(file));
  };
}

function claimOf({ form, sha256 }: ReceivedUpload, file: NewFile, key: string, now: Date): (tx: Tx) => Promise<void> {
  const { purpose, filename, bytes } = file;
  const requestHash = hashRequest(purpose, filename, bytes, sha256?.toString("hex"), form.expiresAfterSeconds);
  return claimFor({ tenant: file.tenant, operation: "create_file", key, requestHash, objectId: file.id }, now);
}

function newFile({ form, filename, info, key }: ReceivedUpload, id: string, tenant: string, now: Date): NewFile {
  const expiresAt =
    form.expiresAfterSeconds === null ? null : new Date(now.getTime() + form.expiresAfterSeconds * 1000);
  return { id, tenant, purpose: form.purpose, filename, bytes: info.bytes, blob: key, createdAt: now, expiresAt };
}

/**
 * Writes the file's row. Where that fails the bytes go, unless the commit was on its way: the file may be there all the same,
 * and where it is not, maintenance finds the blob's note.
 */
async function keep(
  deps: CreateFileDeps,
  request: Request,
  { key, info }: ReceivedUpload,
  file: NewFile,
  first: (tx: Tx) => Promise<void>,
): Promise<void> {
  const commit = { mayBeDone: false };
  try {
    await withTx(deps.db, async (tx) => {
      await first(tx);
      await insertBlob(tx, { key, ...info });
      await insertFile(tx, file);
      commit.mayBeDone = true;
    });
  } catch (error) {
    if (!commit.mayBeDone) await discardUpload(deps, request, key);
    throw error;
  }
}
