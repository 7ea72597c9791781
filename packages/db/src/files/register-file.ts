/** Makes a blob whose object is written into a file of its tenant. */
import { insertBlob } from "../blobs/blobs.ts";
import type { Tx } from "../pool.ts";
import { insertFile, type NewFile } from "./insert-file.ts";

/** Completes the row of the file's blob and inserts the file; the tenant sees it as soon as the transaction commits. */
export async function registerFile(tx: Tx, file: NewFile, etag: string): Promise<void> {
  await insertBlob(tx, { key: file.blob, bytes: file.bytes, etag });
  await insertFile(tx, file);
}
