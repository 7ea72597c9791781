/** Creates the bucket of the object store if it is missing. Several processes may do so at the same time. */
import {
  CreateBucketCommand,
  HeadBucketCommand,
  S3ServiceException,
  type BucketLocationConstraint,
  type S3Client,
} from "@aws-sdk/client-s3";

/** The default region, whose name AWS refuses as a location. */
const DEFAULT_REGION = "us-east-1";

/** The errors of S3 servers when another process created the bucket first. */
const CREATED_BY_ANOTHER = ["BucketAlreadyOwnedByYou", "BucketAlreadyExists", "OperationAborted"];

/** Resolves when the bucket exists and is accessible. Creates it in `region` if it is missing. */
export async function ensureBucket(client: S3Client, bucket: string, region: string): Promise<void> {
  try {
    if (await hasBucket(client, bucket)) return;
    await createBucket(client, bucket, region);
    if (!(await hasBucket(client, bucket))) throw new Error("it does not exist although it was just created");
  } catch (error) {
    throw new Error(`the bucket ${bucket} cannot be used: ${describe(error)}`, { cause: error });
  }
}

async function hasBucket(client: S3Client, bucket: string): Promise<boolean> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
    return true;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404) return false;
    throw error;
  }
}

async function createBucket(client: S3Client, bucket: string, region: string): Promise<void> {
  const place =
    region === DEFAULT_REGION
      ? {}
      : { CreateBucketConfiguration: { LocationConstraint: region as BucketLocationConstraint } };
  try {
    await client.send(new CreateBucketCommand({ Bucket: bucket, ...place }));
  } catch (error) {
    if (!(error instanceof S3ServiceException && CREATED_BY_ANOTHER.includes(error.name))) throw error;
  }
}

/** A reply to HEAD has no body, so only its status gives the reason. A refused connection may have only a code. */
function describe(error: unknown): string {
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (status === 403) return "access is denied (403); check the keys and their permissions";
  if (status === 301) return "it is in another region (301)";
  const { message, code } = error as { readonly message?: string; readonly code?: string };
  return message !== undefined && message !== "" ? message : (code ?? String(error));
}
