/** Reads one piece of an S3 object into memory, or lets the server copy it into a part of an upload. */
import { addAbortSignal, Readable } from "node:stream";
import {
  GetObjectCommand,
  HeadObjectCommand,
  S3ServiceException,
  UploadPartCopyCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { beyondTheEnd } from "./join-runs.ts";
import { ObjectNotFoundError, type ObjectPiece } from "./object-store.ts";
import { isS3Error } from "./s3-replies.ts";

/** A multipart upload in progress. */
export interface BegunUpload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

/** Reads the piece into `target`, a buffer of the same length. */
export async function readPiece(
  client: S3Client,
  Bucket: string,
  piece: ObjectPiece,
  target: Buffer,
  signal: AbortSignal,
): Promise<void> {
  let bytes = 0;
  try {
    const command = new GetObjectCommand({ Bucket, Key: piece.key, Range: rangeOf(piece) });
    const { Body } = await client.send(command, { abortSignal: signal });
    if (!(Body instanceof Readable)) throw new Error(`the reply for ${piece.key} has no body`);
    for await (const chunk of addAbortSignal(signal, Body)) {
      (chunk as Buffer).copy(target, bytes);
      bytes += (chunk as Buffer).length;
    }
  } catch (error) {
    if (isS3Error(error, "InvalidRange")) throw beyondTheEnd(piece, { cause: error });
    throw isS3Error(error, "NoSuchKey") ? new ObjectNotFoundError(piece.key, { cause: error }) : error;
  }
  // S3 silently cuts a range that ends beyond the object.
  if (bytes !== piece.length) throw beyondTheEnd(piece);
}

/** Copies the piece on the server into part `PartNumber` of the upload, and returns the ETag of the part. */
export async function copyPiece(
  client: S3Client,
  upload: BegunUpload,
  PartNumber: number,
  piece: ObjectPiece,
  signal: AbortSignal,
): Promise<string | undefined> {
  // This header needs URL encoding, but no character of our keys and bucket names needs to be escaped.
  const CopySource = `${upload.Bucket}/${piece.key}`;
  try {
    const { CopyPartResult } = await client.send(
      new UploadPartCopyCommand({ ...upload, PartNumber, CopySource, CopySourceRange: rangeOf(piece) }),
      { abortSignal: signal },
    );
    return CopyPartResult?.ETag;
  } catch (error) {
    if (isS3Error(error, "NoSuchKey")) throw new ObjectNotFoundError(piece.key, { cause: error });
    throw (await isTooShort(client, upload.Bucket, piece, error)) ? beyondTheEnd(piece, { cause: error }) : error;
  }
}

/**
 * Checks the object's length, because servers report a range beyond the end under three error names, each of which they
 * also use for other faults.
 */
async function isTooShort(client: S3Client, Bucket: string, piece: ObjectPiece, error: unknown): Promise<boolean> {
  if (!(error instanceof S3ServiceException)) return false;
  if (!["InvalidArgument", "InvalidRange", "InvalidRequest"].includes(error.name)) return false;
  const head = await client.send(new HeadObjectCommand({ Bucket, Key: piece.key })).catch(() => null);
  return (head?.ContentLength ?? Infinity) < piece.offset + piece.length;
}

function rangeOf({ offset, length }: ObjectPiece): string {
  return `bytes=${String(offset)}-${String(offset + length - 1)}`;
}
