/** Helpers for the replies of S3 servers. */
import { S3ServiceException } from "@aws-sdk/client-s3";

/** Reports whether `error` is the S3 error `name`. */
export function isS3Error(error: unknown, name: string): boolean {
  return error instanceof S3ServiceException && error.name === name;
}

/** Returns an ETag without its quotes, or an empty string if the server sends none. */
export function unquote(etag: string | undefined): string {
  return (etag ?? "").replaceAll('"', "");
}
