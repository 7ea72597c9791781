/**
 * Blobs: objects of the store that a row of `blobs` names. The row is written first and deleted last, so that
 * maintenance finds every object that a crash leaves behind.
 */
import { type Db, forgetBlobs, insertBlob } from "@nightshift/db";
import type { ObjectInfo, ObjectStore } from "@nightshift/storage";

export interface BlobBackends {
  readonly db: Db;
  readonly objects: ObjectStore;
}

/**
 * Inserts the row of the blob, then writes its object. Rejects with the error of `write`, and then neither the row nor
 * the object is left. The row gets its size and ETag from `registerFile`, in the transaction that makes the blob a
 * file.
 */
export async function writeBlob(
  { db }: Pick<BlobBackends, "db">,
  key: string,
  write: () => Promise<ObjectInfo>,
): Promise<ObjectInfo> {
  await insertBlob(db, { key, bytes: 0, etag: "" });
  try {
    return await write();
  } catch (error) {
    await forgetBlobs(db, [key]).catch(() => {
      // Maintenance deletes the row later. The caller needs to know why the write failed.
    });
    throw error;
  }
}

/** Deletes blobs that no file needs, for example the blobs of a transaction that lost its race. */
export async function deleteBlobs({ db, objects }: BlobBackends, keys: readonly string[]): Promise<void> {
  await objects.delete(keys);
  await forgetBlobs(db, keys);
}
