/** POST /v1/files: contract §1.1. */
import { insertBlob, insertFile, type NewFile, withTx } from "@nightshift/db";
import { newFileId, type RandomBytes, type TierLimits } from "@nightshift/domain";
import type { Counter } from "@nightshift/service";
import type { Request } from "express";
import { presentFile } from "../../present/file.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import type { TenantLimits } from "../../tiers/tenant-limits.ts";
import { reserveStorage, uploadLimit } from "../../tiers/upload-limits.ts";
import { discardUpload, receiveUpload, type ReceivedUpload, type UploadDeps } from "../../upload/receive-upload.ts";

export interface CreateFileDeps extends UploadDeps {
  readonly clock: () => Date;
  readonly random: RandomBytes;
  readonly limitsOf: TenantLimits;
  /** Bytes of uploads that became files. */
  readonly uploadedBytes: Pick<Counter, "inc">;
}

/** Streams the upload to the object store, then writes the file's row: a file is never there without its bytes. */
export function createFile(deps: CreateFileDeps): TenantHandler {
  return async (request, response, tenant) => {
    const id = newFileId(deps.random);
    const limits = await deps.limitsOf(tenant);
    const contentLength = request.headers["content-length"];
    const limit = await uploadLimit(deps.db, limits, { tenant, now: deps.clock(), contentLength });
    const upload = await receiveUpload({ ...deps, limit }, request, response, `files/${id}`);
    const file = newFile(upload, id, tenant, deps.clock());
    await keep(deps, request, upload, file, limits);
    deps.uploadedBytes.inc(file.bytes);
    response.json(presentFile(file));
  };
}

function newFile({ form, filename, info, key }: ReceivedUpload, id: string, tenant: string, now: Date): NewFile {
  const expiresAt =
    form.expiresAfterSeconds === null ? null : new Date(now.getTime() + form.expiresAfterSeconds * 1000);
  return { id, tenant, purpose: form.purpose, filename, bytes: info.bytes, blob: key, createdAt: now, expiresAt };
}

async function keep(
  deps: CreateFileDeps,
  request: Request,
  { key, info }: ReceivedUpload,
  file: NewFile,
  limits: TierLimits,
): Promise<void> {
  try {
    await withTx(deps.db, async (tx) => {
      await reserveStorage(tx, limits, file);
      await insertBlob(tx, { key, ...info });
      await insertFile(tx, file);
    });
  } catch (error) {
    await discardUpload(deps, request, key);
    throw error;
  }
}
