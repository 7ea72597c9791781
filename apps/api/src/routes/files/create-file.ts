/** POST /v1/files: contract §1.1. */
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
  /** Bytes of uploads that became files. */
  readonly uploadedBytes: Pick<Counter, "inc">;
}

/**
 * Streams the upload to the object store, then writes the file's row, so a file never exists without its bytes. When
 * the same upload comes again with the same `Idempotency-Key`, the reply is the file of the first one. What an upload
 * asks for is known only after its last byte, so the key is claimed then: two at the same time are both read, and one
 * becomes a file.
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
      // A commit whose reply was lost may have succeeded. Then the file needs its blob; if not, maintenance deletes it.
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
