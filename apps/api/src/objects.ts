/** Writes, joins and deletes objects of the store for requests. */
import { type BlobBackends, deleteBlobs, writeBlob } from "@nightshift/backends";
import { errors } from "@nightshift/domain";
import { isObjectStoreUnavailable, type ObjectInfo } from "@nightshift/storage";
import type { Request } from "express";

/** Runs `work` on the object store. If the store is unavailable, it rejects with a 503, which clients retry. */
export async function onObjectStore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isObjectStoreUnavailable(error) ? errors.unavailable("object store", error) : error;
  }
}

/** Streams `content` to a new blob. If this rejects, nothing is left under `key`. */
export function storeBlob(deps: BlobBackends, key: string, content: AsyncIterable<Uint8Array>): Promise<ObjectInfo> {
  return writeBlob(deps, key, () => onObjectStore(() => deps.objects.putStream(key, content)));
}

/** Joins whole blobs, in their order, into a new one. If this rejects, nothing is left under `key`. */
export function joinBlobs(
  deps: BlobBackends,
  key: string,
  sources: readonly { readonly blob: string; readonly bytes: number }[],
): Promise<ObjectInfo> {
  const pieces = sources.map(({ blob, bytes }) => ({ key: blob, offset: 0, length: bytes }));
  return writeBlob(deps, key, () => onObjectStore(() => deps.objects.join(key, pieces)));
}

/** Deletes blobs that no file needs. Never rejects: maintenance deletes the blobs that remain. */
export async function discardBlobs(deps: BlobBackends, request: Request, keys: readonly string[]): Promise<void> {
  try {
    await deleteBlobs(deps, keys);
  } catch (error) {
    request.log.warn({ err: error, keys: keys.slice(0, 10) }, "could not delete blobs; maintenance will");
  }
}
