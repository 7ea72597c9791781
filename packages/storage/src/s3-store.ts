/** The object store of a scaled-out installation: a bucket on AWS, MinIO, or any other S3 server. */
import { Readable } from "node:stream";
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { ensureBucket } from "./bucket.ts";
import { assertKey, assertPrefix, assertRange } from "./key.ts";
import { ObjectNotFoundError, type ByteRange, type ObjectInfo, type ObjectStore } from "./object-store.ts";
import { EVEN_PARTS, S3_PARTS } from "./part-plan.ts";
import { joinOnS3 } from "./s3-join.ts";
import { isS3Error, unquote } from "./s3-replies.ts";
import { abortUploadsBefore } from "./s3-unfinished.ts";

/** The maximum number of keys that S3 deletes in one request. */
const KEYS_PER_DELETE = 1_000;

/**
 * This limit is high, because every download by a slow client holds a socket, and writers must not wait for downloads.
 */
const MAX_SOCKETS = 1_024;

/** The location of the bucket. Without keys, the AWS SDK uses its default credential providers. */
export interface S3StoreOptions {
  /** The address of a server other than AWS. The bucket is then part of the path. */
  readonly endpoint?: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** True (the default) if the server can copy parts of objects. Otherwise all bytes pass through this process. */
  readonly serverCopies?: boolean;
}

/** Opens the store. Sends nothing before the first call. `ready()` creates the bucket if it is missing. */
export function openS3Store(options: S3StoreOptions): ObjectStore {
  const client = createClient(options);
  const Bucket = options.bucket;
  const limits = options.serverCopies === false ? EVEN_PARTS : S3_PARTS;
  const join: ObjectStore["join"] = async (key, sources, signal) => {
    assertKey(key);
    return joinOnS3({ client, Bucket, Key: key }, sources, { limits, signal });
  };

  return {
    put: async (key, body) => {
      assertKey(key);
      const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key: key, Body: body }));
      return { bytes: body.byteLength, etag: unquote(ETag) };
    },
    // A stream is a join of bytes in memory only, so one uploader handles every failure.
    putStream: join,
    join,
    openRead: async (key, range) => getObject(client, Bucket, key, range),
    read: async (key, range) => {
      const chunks: Buffer[] = [];
      for await (const chunk of await getObject(client, Bucket, key, range)) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    },
    head: async (key) => headObject(client, Bucket, key),
    delete: async (keys) => {
      keys.forEach(assertKey);
      for (let first = 0; first < keys.length; first += KEYS_PER_DELETE) {
        await deleteObjects(client, Bucket, keys.slice(first, first + KEYS_PER_DELETE));
      }
    },
    list: (prefix) => listKeys(client, Bucket, prefix),
    discardUnfinished: (prefix, before) => {
      assertPrefix(prefix);
      return abortUploadsBefore(client, Bucket, prefix, before);
    },
    ready: async () => ensureBucket(client, Bucket, options.region),
    close: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
}

function createClient(options: S3StoreOptions): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = options;
  return new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { credentials: { accessKeyId, secretAccessKey } }),
    maxAttempts: 4,
    // Other servers support few of AWS' checksums. TLS and TCP detect transport errors.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // With this header, each part would open a new connection that is not kept alive.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: 60_000,
      throwOnRequestTimeout: true,
      // This also cuts a download whose reader takes nothing for this time.
      socketTimeout: 120_000,
      httpAgent: { maxSockets: MAX_SOCKETS, keepAlive: true },
      httpsAgent: { maxSockets: MAX_SOCKETS, keepAlive: true },
    },
  });
}

async function getObject(client: S3Client, Bucket: string, key: string, range?: ByteRange): Promise<Readable> {
  assertKey(key);
  if (range !== undefined) {
    assertRange(range);
    // An HTTP range cannot be empty.
    if (range.start === range.end) return emptyIfThere(client, Bucket, key);
  }
  const Range = range === undefined ? undefined : `bytes=${String(range.start)}-${String(range.end - 1)}`;
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key, Range }));
    if (!(Body instanceof Readable)) throw new Error(`the reply for ${key} has no body`);
    return Body;
  } catch (error) {
    if (isS3Error(error, "NoSuchKey")) throw new ObjectNotFoundError(key, { cause: error });
    if (isS3Error(error, "InvalidRange")) return Readable.from([]);
    throw error;
  }
}

async function emptyIfThere(client: S3Client, Bucket: string, key: string): Promise<Readable> {
  if ((await headObject(client, Bucket, key)) === null) throw new ObjectNotFoundError(key);
  return Readable.from([]);
}

async function headObject(client: S3Client, Bucket: string, key: string): Promise<ObjectInfo | null> {
  assertKey(key);
  try {
    const { ContentLength, ETag } = await client.send(new HeadObjectCommand({ Bucket, Key: key }));
    return { bytes: ContentLength ?? 0, etag: unquote(ETag) };
  } catch (error) {
    if (isS3Error(error, "NotFound")) return null;
    throw error;
  }
}

async function deleteObjects(client: S3Client, Bucket: string, keys: readonly string[]): Promise<void> {
  const Objects = keys.map((Key) => ({ Key }));
  const { Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
  const failed = Errors?.[0];
  if (failed !== undefined) {
    throw new Error(
      `cannot delete ${failed.Key ?? "an object"}: ${failed.Message ?? failed.Code ?? "no reason given"}`,
    );
  }
}

async function* listKeys(client: S3Client, Bucket: string, prefix: string): AsyncGenerator<string, void, undefined> {
  assertPrefix(prefix);
  for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: prefix })) {
    for (const { Key } of page.Contents ?? []) if (Key !== undefined) yield Key;
  }
}
