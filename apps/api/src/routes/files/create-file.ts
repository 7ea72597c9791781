/** POST /v1/files: contract §1.1. */
import { insertBlob, insertFile, type NewFile, withTx } from "@nightshift/db";
import { newFileId, type RandomBytes } from "@nightshift/domain";
import type { Counter } from "@nightshift/service";
import type { Request } from "express";
import { presentFile } from "../../present/file.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import { discardUpload, type UploadDeps } from "../../upload/noted-object.ts";
import { receiveUpload, type ReceivedUpload } from "../../upload/receive-upload.ts";

export interface CreateFileDeps extends UploadDeps {
  readonly clock: () => Date;
  readonly random: RandomBytes;
  /** Bytes of uploads that became files. */
  readonly uploadedBytes: Pick<Counter, "inc">;
}

/** Streams the upload to the object store, then writes the file's row: a file is never there without its bytes. */
export function createFile(deps: CreateFileDeps): TenantHandler {
  return async (request, response, tenant) => {
    const id = newFileId(deps.random);
    const upload = await receiveUpload(deps, request, response, `files/${id}`);
    const file = newFile(upload, id, tenant, deps.clock());
    await keep(deps, request, upload, file);
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
): Promise<void> {
  try {
    await withTx(deps.db, async (tx) => {
      await insertBlob(tx, { key, ...info });
      await insertFile(tx, file);
    });
  } catch (error) {
    await discardUpload(deps, request, key);
    throw error;
  }
}
