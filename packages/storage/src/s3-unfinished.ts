/**
 * Multipart uploads whose writer died: their parts cost storage until somebody aborts them, and no list of keys shows them.
 * MinIO ends such uploads by itself after a day, and lists none of them under a prefix that is not a whole key.
 */
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, type S3Client } from "@aws-sdk/client-s3";
import { isS3Error } from "./s3-replies.ts";

/** Ends those below `Prefix` that began before `before`. */
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

/** Another worker's maintenance may have been quicker. */
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
