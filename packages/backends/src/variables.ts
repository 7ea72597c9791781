/** The environment variables that choose the backends. Each variable affects only one backend. */
import { DAY_SECONDS, EXPIRES_AFTER } from "@nightshift/domain";
import { Type, type Static, type TObject } from "@sinclair/typebox";
import { StartupError } from "@nightshift/service";

/** Properties to spread into the schema of a process that opens the backends. */
export const BackendVariables = {
  DATABASE_URL: Type.String({
    pattern: "^postgres(ql)?://",
    description: "a URL such as postgres://user:password@host:5432/database",
  }),
  REDIS_URL: Type.Optional(
    Type.String({ pattern: "^rediss?://", description: "a URL such as redis://host:6379 or rediss://host:6379" }),
  ),
  S3_ENDPOINT: Type.Optional(
    Type.String({ pattern: "^https?://", description: "a URL such as http://minio:9000; leave it unset for AWS" }),
  ),
  S3_BUCKET: Type.Optional(
    Type.String({
      pattern: "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
      description: "the name of a bucket: 3 to 63 lowercase letters, digits, dots and hyphens",
    }),
  ),
  S3_REGION: Type.String({ default: "us-east-1" }),
  S3_SERVER_COPY: Type.Boolean({ default: true }),
  AWS_ACCESS_KEY_ID: Type.Optional(Type.String()),
  AWS_SECRET_ACCESS_KEY: Type.Optional(Type.String()),
  NIGHTSHIFT_DATA_DIR: Type.String({ default: "./data" }),
} as const;

/**
 * The variable NIGHTSHIFT_FILE_EXPIRY_DAYS. The API uses it for input files, and the workers for output and error
 * files: contract §1.1 and §2.
 */
export const FileExpiryDays = Type.Integer({
  minimum: 0,
  maximum: 3_650,
  default: EXPIRES_AFTER.batchDefaultSeconds / DAY_SECONDS,
  description: "days after which the files of batches expire, from 1 to 3650, or 0 to keep them",
});

/** Returns the seconds from a file's creation to its expiry, or null if it does not expire. */
export function batchFileLife(expiryDays: number): number | null {
  return expiryDays === 0 ? null : expiryDays * DAY_SECONDS;
}

/** The values of BackendVariables. */
export type BackendsConfig = Static<TObject<typeof BackendVariables>>;

/** Throws StartupError if a variable of the bucket is set without the variable that it needs. */
export function refuseHalfSet(config: BackendsConfig): void {
  const { S3_ENDPOINT, S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = config;
  if (S3_BUCKET === undefined) {
    // The keys may be set for other programs that use AWS. An endpoint is set only for Nightshift.
    if (S3_ENDPOINT !== undefined)
      throw new StartupError("S3_ENDPOINT is set but S3_BUCKET is not. Set both or neither.");
    return;
  }
  if ((AWS_ACCESS_KEY_ID === undefined) !== (AWS_SECRET_ACCESS_KEY === undefined)) {
    throw new StartupError("Only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set. Set both or neither.");
  }
}
