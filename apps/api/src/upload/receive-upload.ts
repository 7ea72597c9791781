/** Reads a multipart upload: the file's bytes go straight to the object store, the fields into memory. */
import type { Readable } from "node:stream";
import { errors, type UploadPurpose } from "@nightshift/domain";
import type { ObjectInfo } from "@nightshift/storage";
import type { Request, Response } from "express";
import { refuseWrongExtension, refuseWrongFirstLine } from "./batch-input.ts";
import { createFirstLine, type FirstLine } from "./first-line.ts";
import { formBytes, readFormFile } from "./form-file.ts";
import { discardUpload, type UploadDeps, writeNoted } from "./noted-object.ts";
import { maxBytesOf, readPurposeSoFar, readUploadForm, type UploadForm } from "./upload-form.ts";

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
  deps: UploadDeps,
  request: Request,
  response: Response,
  key: string,
): Promise<ReceivedUpload> {
  const progress: Progress = { firstLine: createFirstLine(), stored: null };
  await readForm(deps, request, response, key, progress);
  const { stored, firstLine } = progress;
  try {
    if (stored === null) throw errors.missingParameter("file");
    const form = readUploadForm(request.body as Record<string, unknown>);
    if (form.purpose === "batch") refuseBadBatchInput(stored, firstLine);
    if (stored.info.bytes > maxBytesOf(form.purpose)) throw errors.fileTooLarge(maxBytesOf(form.purpose));
    return { ...stored, form };
  } catch (error) {
    if (stored !== null) await discardUpload(deps, request, key);
    throw error;
  }
}

function refuseBadBatchInput({ filename }: StoredUpload, firstLine: FirstLine): void {
  refuseWrongExtension(filename);
  refuseWrongFirstLine(firstLine.end());
}

/** Lets the form be read, its file into the object store. */
async function readForm(
  deps: UploadDeps,
  request: Request,
  response: Response,
  key: string,
  progress: Progress,
): Promise<void> {
  await readFormFile(request, response, "file", {
    store: async (file) => {
      progress.stored = await store(deps, request, file, key, progress);
      return progress.stored.info.bytes;
    },
    discard: () => discardUpload(deps, request, key),
  });
}

async function store(
  { db, objects }: UploadDeps,
  request: Request,
  file: Express.Multer.File,
  key: string,
  { firstLine }: Progress,
): Promise<StoredUpload> {
  // What came before the file is known here, and saves storing what would be refused anyway.
  const purpose = readPurposeSoFar(request.body as Record<string, unknown>);
  if (purpose === "batch") refuseWrongExtension(file.originalname);
  const content = checkedBytes(file.stream, purpose, firstLine);
  const info = await writeNoted({ db, objects }, key, content);
  return { key, filename: withoutNul(file.originalname), info };
}

/** The file's bytes, cut off with a RequestError as soon as it is sure that they will be refused. */
function checkedBytes(
  source: Readable,
  purpose: UploadPurpose | null,
  firstLine: FirstLine,
): AsyncIterable<Uint8Array> {
  const maxBytes = maxBytesOf(purpose);
  return formBytes(source, (chunk, bytes) => {
    if (bytes > maxBytes) throw errors.fileTooLarge(maxBytes);
    const verdict = firstLine.push(chunk);
    if (purpose === "batch") refuseWrongFirstLine(verdict);
  });
}

/** Postgres cannot hold a NUL in text. */
function withoutNul(filename: string): string {
  return filename.replaceAll("\0", "");
}
