/**
 * Aborts multipart uploads whose writer died. Their parts take up storage until the upload is aborted, and listing the
 * keys does not show them. On MinIO the listing of uploads is empty unless the prefix is a complete key. This does no
 * harm, because MinIO aborts such uploads itself after a day.
 */
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, type S3Client } from "@aws-sdk/client-s3";
import { isS3Error } from "./s3-replies.ts";

/** Aborts the uploads of keys below `Prefix` that began before `before`. */
export async function abortUploadsBefore(
  client: S3Client,
  Bucket: string,
  Prefix: string,
  before: Date,
): Promise<void> {
  let markers: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (;;) {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix, ...markers }));
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Initiated !== undefined && Initiated < before) await abort(client, { Bucket, Key, UploadId });
    }
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = page;
    if (IsTruncated !== true || NextKeyMarker === undefined) return;
    markers = {
      KeyMarker: NextKeyMarker,
      ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }),
    };
  }
}

/** Aborts an upload. Ignores an upload that another worker's maintenance has already aborted. */
async function abort(
  client: S3Client,
  upload: { Bucket: string; Key: string | undefined; UploadId: string | undefined },
): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand(upload));
  } catch (error) {
    if (!isS3Error(error, "NoSuchUpload")) throw error;
  }
}
