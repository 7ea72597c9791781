/**
 * Executes the steps of a join on an S3 server: a single PUT if everything fits in one part, else a multipart upload.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from "@aws-sdk/client-s3";
import { createBoundedTasks } from "./bounded-tasks.ts";
import { byteLengthOf, isPiece } from "./join-runs.ts";
import type { ObjectInfo } from "./object-store.ts";
import { S3_PARTS, type CopyStep, type GatherStep } from "./part-plan.ts";
import { copyPiece, readPiece, type BegunUpload } from "./s3-piece.ts";
import { unquote } from "./s3-replies.ts";

/** Two parts being uploaded and one being gathered take 15 MiB of buffers. A read holds one chunk of its socket. */
const UPLOADS_AT_ONCE = 2;
const READS_AT_ONCE = 8;
const COPIES_AT_ONCE = 4;

export interface S3Target {
  readonly client: S3Client;
  readonly Bucket: string;
  readonly Key: string;
}

export interface JoinUpload {
  /** Begins a step. Resolves when the next step may follow. */
  add(step: GatherStep | CopyStep): Promise<void>;
  /** Completes the object. */
  finish(): Promise<ObjectInfo>;
  /** Removes all parts after a failure. Never rejects. */
  discard(): Promise<void>;
}

interface GatheredPart {
  readonly number: number;
  readonly buffer: Buffer;
  bytes: number;
}

/**
 * Creates an upload that sends nothing before the first step. Aborting `stop` ends the running requests, and every
 * failure aborts it. Requests that begin or end an upload are never aborted, because it would be unknown whether they
 * took effect.
 */
export function createJoinUpload({ client, Bucket, Key }: S3Target, stop: AbortController): JoinUpload {
  const reads = createBoundedTasks(READS_AT_ONCE, stop);
  const uploads = createBoundedTasks(UPLOADS_AT_ONCE, stop);
  const copies = createBoundedTasks(COPIES_AT_ONCE, stop);
  const parts: CompletedPart[] = [];
  const freeBuffers: Buffer[] = [];
  let gathered: GatheredPart | null = null;
  let begun: BegunUpload | null = null;
  let bytes = 0;

  async function begin(): Promise<BegunUpload> {
    if (begun !== null) return begun;
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    if (UploadId === undefined) throw new Error(`the reply to CreateMultipartUpload for ${Key} has no UploadId`);
    return (begun = { Bucket, Key, UploadId });
  }

  async function gather({ part, at, source }: GatherStep): Promise<void> {
    if (gathered?.number !== part) {
      await sendGathered();
      gathered = { number: part, buffer: freeBuffers.pop() ?? Buffer.allocUnsafe(S3_PARTS.partBytes), bytes: 0 };
    }
    const target = gathered.buffer.subarray(at, at + byteLengthOf(source));
    gathered.bytes += target.length;
    // Each read has its place in the buffer, so reads may end in any order and need no copy.
    if (isPiece(source)) await reads.start(() => readPiece(client, Bucket, source, target, stop.signal));
    else target.set(source);
  }

  /** Uploads the gathered part. Called once it is known that this is not the only part. */
  async function sendGathered(): Promise<void> {
    if (gathered === null) return;
    const { number, buffer, bytes: length } = gathered;
    gathered = null;
    const upload = await begin();
    await uploads.start(async () => {
      // The reads that run when this begins belong to this part or to an earlier one.
      await reads.idle();
      stop.signal.throwIfAborted();
      const Body = buffer.subarray(0, length);
      const command = new UploadPartCommand({ ...upload, PartNumber: number, Body });
      const { ETag } = await client.send(command, { abortSignal: stop.signal });
      parts[number - 1] = { PartNumber: number, ETag };
      freeBuffers.push(buffer);
    });
  }

  async function copy({ part, piece }: CopyStep): Promise<void> {
    await sendGathered();
    const upload = await begin();
    await copies.start(async () => {
      parts[part - 1] = { PartNumber: part, ETag: await copyPiece(client, upload, part, piece, stop.signal) };
    });
  }

  async function put(): Promise<string | undefined> {
    await reads.idle();
    stop.signal.throwIfAborted();
    const Body = gathered?.buffer.subarray(0, gathered.bytes) ?? new Uint8Array();
    return (await client.send(new PutObjectCommand({ Bucket, Key, Body }))).ETag;
  }

  async function complete(upload: BegunUpload): Promise<string | undefined> {
    await sendGathered();
    await Promise.all([uploads.idle(), copies.idle()]);
    stop.signal.throwIfAborted();
    const command = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } });
    return (await client.send(command)).ETag;
  }

  return {
    add: async (step) => {
      bytes += byteLengthOf(step.kind === "copy" ? step.piece : step.source);
      await (step.kind === "copy" ? copy(step) : gather(step));
    },
    finish: async () => ({ bytes, etag: unquote(await (begun === null ? put() : complete(begun))) }),
    discard: async () => {
      await Promise.all([reads.idle(), uploads.idle(), copies.idle()]);
      if (begun === null) return;
      // The caller reports the first error. A lifecycle rule of S3 can remove an upload that stays.
      await client.send(new AbortMultipartUploadCommand({ ...begun })).catch(() => undefined);
    },
  };
}
