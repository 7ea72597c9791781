/** Reads a multipart upload: the file's bytes go straight to the object store, the fields into memory. */
import { errors, MAX_FILENAME_LENGTH, type RequestError } from "@nightshift/domain";
import type { ObjectInfo } from "@nightshift/storage";
import type { Request, Response } from "express";
import { onObjectStore } from "../../object-store-errors.ts";
import type { UploadLimit } from "../../tiers/upload-limits.ts";
import { refuseWrongExtension, refuseWrongFirstLine } from "./batch-input.ts";
import { type ByteChecks, createByteChecks } from "./checked-bytes.ts";
import { type CompressedName, readCompressedName, readContentEncoding } from "../../multipart/compressed-names.ts";
import { decodedRequest } from "../../multipart/decoded-request.ts";
import { decompressed } from "../../multipart/decompress.ts";
import { formBytes, notAFile, readFormFile } from "../../multipart/form-parts.ts";
import { discardUpload, type UploadDeps as NotedDeps, writeNoted } from "../../noted-object.ts";
import { maxBytesOf, readPurposeSoFar, readUploadForm, type UploadForm } from "./file-form.ts";

export interface UploadDeps extends NotedDeps {
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
  readonly checks: ByteChecks;
  /** Stored as it came, because its purpose was not known yet; for a batch it is still to be decompressed. */
  readonly compressed: CompressedName | null;
}

export interface ReceivedUpload {
  readonly key: string;
  readonly filename: string;
  readonly info: ObjectInfo;
  readonly form: UploadForm;
  /** SHA-256 of the bytes; null where it was not asked for. */
  readonly sha256: Buffer | null;
}

/** One upload on its way. */
interface Upload {
  /** Where its bytes go. */
  readonly key: string;
  readonly wantsHash: boolean;
  stored: StoredUpload | null;
}

/**
 * Resolves when the whole form was read, found good, and the bytes are durable under `key` or a key that begins with it; the
 * caller then owns them. Otherwise, also where the client goes away, it rejects and nothing is left. The parts may come in
 * any order. A request in a `Content-Encoding` of gzip or zstd is decompressed, and so is a batch's file of the name
 * `….jsonl.gz` or `….jsonl.zst`; all limits hold for what comes out (docs/extensions.md).
 */
export async function receiveUpload(
  deps: ReceiveDeps,
  request: Request,
  response: Response,
  { key, wantsHash }: { readonly key: string; readonly wantsHash: boolean },
): Promise<ReceivedUpload> {
  const upload: Upload = { key, wantsHash, stored: null };
  const fields = await readForm(deps, request, response, upload);
  let stored = upload.stored;
  try {
    if (stored === null) throw noFile(fields);
    const form = readUploadForm(fields, deps.batchFileLifeSeconds);
    if (form.purpose === "batch" && stored.compressed !== null) {
      stored = await expand(deps, request, upload, stored, stored.compressed);
    }
    if (form.purpose === "batch") refuseBadBatchInput(stored);
    if (stored.info.bytes > maxBytesOf(form.purpose)) throw errors.fileTooLarge(maxBytesOf(form.purpose));
    return { key: stored.key, filename: stored.filename, info: stored.info, form, sha256: stored.checks.sha256() };
  } catch (error) {
    if (stored !== null) await discardUpload(deps, request, stored.key);
    throw error;
  }
}

function noFile(fields: Record<string, unknown>): RequestError {
  return "file" in fields ? notAFile("file") : errors.missingParameter("file");
}

function refuseBadBatchInput({ filename, checks }: StoredUpload): void {
  refuseWrongExtension(filename);
  refuseWrongFirstLine(checks.firstLine.end());
}

/** A batch's file that came compressed, before its purpose did. Where this rejects, `stored` is still there. */
async function expand(
  deps: ReceiveDeps,
  request: Request,
  { key, wantsHash }: Upload,
  stored: StoredUpload,
  { coding, filename }: CompressedName,
): Promise<StoredUpload> {
  const checks = createByteChecks(wantsHash, deps.limit);
  const source = await onObjectStore(() => deps.objects.openRead(stored.key));
  const info = await writeNoted(deps, key, checks.pass(decompressed(source, coding), "batch"));
  await discardUpload(deps, request, stored.key);
  return { key, filename, info, checks, compressed: null };
}

/** Reads the form, its file into the object store, and returns its fields. */
async function readForm(
  deps: ReceiveDeps,
  request: Request,
  response: Response,
  upload: Upload,
): Promise<Record<string, unknown>> {
  const coding = readContentEncoding(request);
  const source = coding === null ? request : decodedRequest(request, coding);
  try {
    await readFormFile(request, response, "file", {
      source,
      store: async (file) => {
        upload.stored = await store(deps, source.body as Record<string, unknown>, file, upload);
        return upload.stored.info.bytes;
      },
      discard: () => discardUpload(deps, request, upload.stored?.key ?? upload.key),
    });
    return source.body as Record<string, unknown>;
  } finally {
    if (source !== request) {
      // Not drained as multer would: of a bomb that would be more than anybody ever sent.
      source.destroy();
      request.resume();
    }
  }
}

async function store(
  deps: ReceiveDeps,
  fields: Record<string, unknown>,
  file: Express.Multer.File,
  upload: Upload,
): Promise<StoredUpload> {
  // What came before the file is known here, and saves storing what would be refused anyway.
  const purpose = readPurposeSoFar(fields);
  const filename = readName(file);
  const compressed = readCompressedName(filename);
  const checks = createByteChecks(upload.wantsHash, deps.limit);
  const bytes = formBytes(file.stream);
  if (purpose === "batch" && compressed !== null) {
    const info = await writeNoted(deps, upload.key, checks.pass(decompressed(bytes, compressed.coding), purpose));
    return { key: upload.key, filename: compressed.filename, info, checks, compressed: null };
  }
  if (purpose === "batch") refuseWrongExtension(filename);
  const isUndecided = purpose === null && compressed !== null;
  const key = isUndecided ? `${upload.key}.raw` : upload.key;
  const info = await writeNoted(deps, key, checks.pass(bytes, purpose));
  return { key, filename, info, checks, compressed: isUndecided ? compressed : null };
}

/** Without NULs, which Postgres cannot hold in text. */
function readName(file: Express.Multer.File): string {
  const filename = file.originalname.replaceAll("\0", "");
  if (filename.length <= MAX_FILENAME_LENGTH) return filename;
  throw errors.outOfRange("file", `its name must not be longer than ${String(MAX_FILENAME_LENGTH)} characters`);
}
