/** Reads what the replies of S3 servers have in common. */
import { S3ServiceException } from "@aws-sdk/client-s3";

/** True for the error that S3 servers call `name`. */
export function isS3Error(error: unknown, name: string): boolean {
  return error instanceof S3ServiceException && error.name === name;
}

/** An ETag as ObjectInfo has it; empty where the server sends none. */
export function unquote(etag: string | undefined): string {
  return (etag ?? "").replaceAll('"', "");
}
