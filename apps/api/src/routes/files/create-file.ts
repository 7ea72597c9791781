/** POST /v1/files: uploads a file (contract §1.1). */
import { findFile, type NewFile, registerFile, type Tx, withTx } from "@nightshift/db";
import { newFileId, type RandomBytes } from "@nightshift/domain";
import type { Counter } from "@nightshift/service";
import { claimFor, hashRequest, readIdempotencyKey, replay } from "../../idempotency.ts";
import { discardBlobs } from "../../objects.ts";
import { presentFile } from "../../present/file.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import type { TenantLimits } from "../../tiers/tenant-limits.ts";
import { reserveStorage, uploadLimit } from "../../tiers/upload-limits.ts";
import { receiveFile, type ReceivedFile, type ReceiveFileDeps } from "./receive-file.ts";

export interface CreateFileDeps extends ReceiveFileDeps {
  readonly clock: () => Date;
  readonly random: RandomBytes;
  readonly limitsOf: TenantLimits;
  /** Counts the bytes of uploads that became files. */
  readonly uploadedBytes: Pick<Counter, "inc">;
}

/**
 * Streams the upload to the object store, then writes the file's row, so a file never exists without its bytes. If the
 * same upload is repeated with the same `Idempotency-Key`, the reply has the file of the first upload. The request is
 * known completely only after its last byte, so the key is claimed then. Two concurrent uploads with one key are both
 * read, and one of them becomes a file.
 */
export function createFileRoute(deps: CreateFileDeps): TenantHandler {
  return async (request, response, tenant) => {
    const key = readIdempotencyKey(request);
    const id = newFileId(deps.random);
    const limits = await deps.limitsOf(tenant);
    const contentLength = request.headers["content-length"];
    const limit = await uploadLimit(deps.db, limits, { tenant, now: deps.clock(), contentLength });
    const received = await receiveFile(deps, request, { key: `files/${id}`, wantsHash: key !== null, limit });
    const now = deps.clock();
    const file = newFile(received, id, tenant, now);
    const claim = key === null ? undefined : claimOf(received, file, key, now);
    const commit = { hasBegun: false };
    try {
      await withTx(deps.db, async (tx) => {
        await claim?.(tx);
        await reserveStorage(tx, limits, file);
        await registerFile(tx, file, received.info.etag);
        commit.hasBegun = true;
      });
    } catch (error) {
      // A commit whose reply was lost may have succeeded, and then the file needs its blob. If it failed, maintenance
      // deletes the blob.
      if (!commit.hasBegun) await discardBlobs(deps, request, [file.blob]);
      if (key === null) throw error;
      response.json(presentFile(await replay(response, error, (made) => findFile(deps.db, tenant, made, now))));
      return;
    }
    deps.uploadedBytes.inc(file.bytes);
    response.json(presentFile(file));
  };
}

function claimOf({ form, sha256 }: ReceivedFile, file: NewFile, key: string, now: Date): (tx: Tx) => Promise<void> {
  const { purpose, filename, bytes } = file;
  const requestHash = hashRequest(purpose, filename, bytes, sha256?.toString("hex"), form.expiresAfterSeconds);
  return claimFor({ tenant: file.tenant, operation: "create_file", key, requestHash, objectId: file.id }, now);
}

function newFile({ form, filename, info, key }: ReceivedFile, id: string, tenant: string, now: Date): NewFile {
  const expiresAt =
    form.expiresAfterSeconds === null ? null : new Date(now.getTime() + form.expiresAfterSeconds * 1000);
  return { id, tenant, purpose: form.purpose, filename, bytes: info.bytes, blob: key, createdAt: now, expiresAt };
}
