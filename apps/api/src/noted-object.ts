/** Objects that a request writes: noted before they are there, so that maintenance finds what a crash leaves. */
import { type Db, forgetBlobs, insertBlob } from "@nightshift/db";
import type { ObjectInfo, ObjectStore } from "@nightshift/storage";
import type { Request } from "express";
import { onObjectStore } from "./object-store-errors.ts";

export interface UploadDeps {
  readonly db: Db;
  readonly objects: ObjectStore;
}

/** Streams `content` to the object store under `key`; rejects as that does, and then nothing is left. */
export function writeNoted(
  { db, objects }: UploadDeps,
  key: string,
  content: AsyncIterable<Uint8Array>,
): Promise<ObjectInfo> {
  return noted(db, key, () => objects.putStream(key, content));
}

/** Makes the object under `key` of whole others, in their order; rejects as the store does, and then nothing is left. */
export function joinNoted(
  { db, objects }: UploadDeps,
  key: string,
  sources: readonly { readonly blob: string; readonly bytes: number }[],
): Promise<ObjectInfo> {
  const pieces = sources.map(({ blob, bytes }) => ({ key: blob, offset: 0, length: bytes }));
  return noted(db, key, () => objects.join(key, pieces));
}

/** Removes the bytes of an upload that becomes no file. What fails here is left to maintenance, which finds the blob's note. */
export async function discardUpload(deps: UploadDeps, request: Request, key: string): Promise<void> {
  await discardObjects(deps, request, [key]);
}

/** The same for several. */
export async function discardObjects(
  { db, objects }: UploadDeps,
  request: Request,
  keys: readonly string[],
): Promise<void> {
  try {
    await objects.delete(keys);
    await forgetBlobs(db, keys);
  } catch (error) {
    request.log.warn({ err: error, keys: keys.slice(0, 10) }, "the bytes of an upload are left to maintenance");
  }
}

async function noted(db: Db, key: string, write: () => Promise<ObjectInfo>): Promise<ObjectInfo> {
  await insertBlob(db, { key, bytes: 0, etag: "" });
  try {
    return await onObjectStore(write);
  } catch (error) {
    await forgetBlobs(db, [key]).catch(() => {
      // The note alone is left, which maintenance removes; the reason of the failure is what the client should hear.
    });
    throw error;
  }
}
