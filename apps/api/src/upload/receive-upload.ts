/** Reads a multipart upload: the file's bytes go straight to the object store, the fields into memory. */
import type { Readable } from "node:stream";
import { type Db, forgetBlobs, insertBlob } from "@nightshift/db";
import { errors, RequestError, type UploadPurpose } from "@nightshift/domain";
import type { ObjectInfo, ObjectStore } from "@nightshift/storage";
import type { Request, Response } from "express";
import multer from "multer";
import { onObjectStore } from "../object-store-errors.ts";
import type { UploadLimit } from "../tiers/upload-limits.ts";
import { refuseWrongExtension, refuseWrongFirstLine } from "./batch-input.ts";
import { createFirstLine, type FirstLine } from "./first-line.ts";
import { maxBytesOf, readPurposeSoFar, readUploadForm, type UploadForm } from "./upload-form.ts";

/** One field for each of the form's keys, and some that are told that they are unknown. */
const LIMITS = { files: 1, fields: 10, parts: 12, fieldNameSize: 100, fieldSize: 1024, fieldNestingDepth: 2 };

export interface UploadDeps {
  readonly db: Db;
  readonly objects: ObjectStore;
  /** Seconds that a file of purpose `batch` lives where its form does not say it; null: for ever. */
  readonly batchFileLifeSeconds: number | null;
}

export interface ReceiveDeps extends UploadDeps {
  /** What the tenant's tier allows, besides what the purpose does. */
  readonly limit: UploadLimit;
}

/** A file whose bytes are durable under `key`, which no row names yet. */
export interface StoredUpload {
  readonly key: string;
  readonly filename: string;
  readonly info: ObjectInfo;
}

export interface ReceivedUpload extends StoredUpload {
  readonly form: UploadForm;
}

interface Progress {
  readonly firstLine: FirstLine;
  stored: StoredUpload | null;
}

/**
 * Resolves when the whole form was read, found good, and the bytes are durable under `key`; the caller then owns them.
 * Otherwise, also where the client goes away, it rejects and nothing is left. The parts may come in any order.
 */
export async function receiveUpload(
  deps: ReceiveDeps,
  request: Request,
  response: Response,
  key: string,
): Promise<ReceivedUpload> {
  const progress: Progress = { firstLine: createFirstLine(), stored: null };
  await readForm(deps, request, response, key, progress);
  const { stored, firstLine } = progress;
  try {
    if (stored === null) throw errors.missingParameter("file");
    const form = readUploadForm(request.body as Record<string, unknown>, deps.batchFileLifeSeconds);
    if (form.purpose === "batch") refuseBadBatchInput(stored, firstLine);
    if (stored.info.bytes > maxBytesOf(form.purpose)) throw errors.fileTooLarge(maxBytesOf(form.purpose));
    return { ...stored, form };
  } catch (error) {
    if (stored !== null) await discardUpload(deps, request, key);
    throw error;
  }
}

/** Removes the bytes of an upload that becomes no file. What fails here is left to upkeep, which finds the blob's note. */
export async function discardUpload({ db, objects }: UploadDeps, request: Request, key: string): Promise<void> {
  try {
    await objects.delete([key]);
    await forgetBlobs(db, [key]);
  } catch (error) {
    request.log.warn({ err: error, key }, "the bytes of a refused upload are left to upkeep");
  }
}

function refuseBadBatchInput({ filename }: StoredUpload, firstLine: FirstLine): void {
  refuseWrongExtension(filename);
  refuseWrongFirstLine(firstLine.end());
}

/**
 * Lets multer read the form. A refusal is answered at once: multer itself would first read all that the client is still
 * sending; here it does so behind the answer.
 */
function readForm(
  deps: ReceiveDeps,
  request: Request,
  response: Response,
  key: string,
  progress: Progress,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const storage: multer.StorageEngine = {
      _handleFile: (_request, file, done) => {
        store(deps, request, file, key, progress).then(
          (stored) => {
            progress.stored = stored;
            done(null, { size: stored.info.bytes });
          },
          (error: unknown) => {
            reject(error instanceof Error ? error : new Error(String(error)));
            done(error);
          },
        );
      },
      _removeFile: (_request, _file, done) => {
        void discardUpload(deps, request, key).then(() => {
          done(null);
        });
      },
    };
    const read = multer({ storage, limits: LIMITS, defParamCharset: "utf8" }).single("file");
    read(request, response, (error: unknown) => {
      if (error !== undefined && error !== null) reject(toRequestError(error));
      else if (request.is("multipart/form-data") === "multipart/form-data") resolve();
      else reject(errors.malformedMultipart("its Content-Type is not multipart/form-data"));
    });
  });
}

async function store(
  { db, objects, limit }: ReceiveDeps,
  request: Request,
  file: Express.Multer.File,
  key: string,
  { firstLine }: Progress,
): Promise<StoredUpload> {
  // What came before the file is known here, and saves storing what would be refused anyway.
  const purpose = readPurposeSoFar(request.body as Record<string, unknown>);
  if (purpose === "batch") refuseWrongExtension(file.originalname);
  // Noted first, so that upkeep finds the bytes if this process ends before they have a file.
  await insertBlob(db, { key, bytes: 0, etag: "" });
  try {
    const info = await onObjectStore(() =>
      objects.putStream(key, checkedBytes(file.stream, purpose, firstLine, limit)),
    );
    return { key, filename: withoutNul(file.originalname), info };
  } catch (error) {
    await forgetBlobs(db, [key]).catch(() => {
      // The note alone is left, which upkeep removes; the reason of the failure is what the client should hear.
    });
    throw error;
  }
}

/** The file's bytes, cut off with a RequestError as soon as it is sure that they will be refused. */
async function* checkedBytes(
  source: Readable,
  purpose: UploadPurpose | null,
  firstLine: FirstLine,
  limit: UploadLimit,
): AsyncGenerator<Uint8Array> {
  const maxBytes = maxBytesOf(purpose);
  let bytes = 0;
  try {
    // Left as it is when we stop: destroying it would be reported as a second, meaningless reason by multer.
    const chunks = source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw errors.fileTooLarge(maxBytes);
      if (bytes > limit.maxBytes) throw limit.refusal();
      const verdict = firstLine.push(chunk);
      if (purpose === "batch") refuseWrongFirstLine(verdict);
      yield chunk;
    }
  } catch (error) {
    // A source that breaks is the client's connection or its form, never the object store.
    throw error instanceof RequestError ? error : toRequestError(error);
  }
}

/** Postgres cannot hold a NUL in text. */
function withoutNul(filename: string): string {
  return filename.replaceAll("\0", "");
}

function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  if (error instanceof multer.MulterError && error.code === "LIMIT_UNEXPECTED_FILE") {
    return errors.unknownParameter(error.field ?? "file");
  }
  return errors.malformedMultipart(error instanceof Error ? error.message : String(error));
}
