/** Reads the form of POST /v1/files: the file's bytes go straight to the object store, the text fields into memory. */
import { createHash } from "node:crypto";
import type { BlobBackends } from "@nightshift/backends";
import { errors, MAX_FILENAME_LENGTH, type UploadPurpose } from "@nightshift/domain";
import type { ObjectInfo } from "@nightshift/storage";
import type { Request } from "express";
import { type CompressedName, decompressed, readCompressedName } from "../../multipart/decompress.ts";
import { addField, type FilePart, notAFile, readFormParts } from "../../multipart/form-parts.ts";
import { discardBlobs, onObjectStore, storeBlob } from "../../objects.ts";
import type { UploadLimit } from "../../tiers/upload-limits.ts";
import { createFirstLine, type FirstLine, refuseWrongExtension, refuseWrongFirstLine } from "./batch-input.ts";
import { type FileForm, maxBytesOf, readFileForm, readPurposeSoFar } from "./file-form.ts";

export interface ReceiveFileDeps extends BlobBackends {
  /** Seconds that a file of purpose `batch` lives if its form sets no expiry. Null if it does not expire. */
  readonly batchFileLifeSeconds: number | null;
}

/** The destination of the bytes, and the checks on their way. */
export interface FileTarget {
  /** The blob of the file; the blob of a compressed file whose purpose is still unknown has a suffix. */
  readonly key: string;
  readonly wantsHash: boolean;
  /** The limit of the tenant's tier. The purpose has a limit of its own. */
  readonly limit: UploadLimit;
}

/** A complete form whose file is durable. */
export interface ReceivedFile {
  readonly key: string;
  readonly filename: string;
  readonly info: ObjectInfo;
  readonly form: FileForm;
  /** The SHA-256 of the bytes. Null if it was not requested. */
  readonly sha256: Buffer | null;
}

/** A durable file. The rest of its form may be missing or wrong. */
interface StoredFile {
  readonly key: string;
  readonly filename: string;
  readonly info: ObjectInfo;
  readonly checks: ByteChecks;
  /** Set if the bytes are still compressed, because the purpose was not known yet. */
  readonly compressed: CompressedName | null;
}

/**
 * Resolves when the whole form is read and accepted, and the file is durable. The caller then owns the file's blob. If
 * this rejects, for example because the client disconnected, nothing is left. The parts may come in any order.
 *
 * A request with a `Content-Encoding` of gzip or zstd is decompressed, and so is a file for a batch that is called
 * `….jsonl.gz` or `….jsonl.zst`. All limits apply to the decompressed bytes (docs/extensions.md).
 */
export async function receiveFile(deps: ReceiveFileDeps, request: Request, target: FileTarget): Promise<ReceivedFile> {
  const fields = Object.create(null) as Record<string, unknown>;
  let stored: StoredFile | null = null;
  try {
    for await (const part of readFormParts(request, "file")) {
      if (part.kind === "field") addField(fields, part);
      // The fields that came before the file are known by now. If one of them is wrong, the file is not stored.
      else stored = await storeFile(deps, part, readPurposeSoFar(fields), target);
    }
    if (stored === null) throw "file" in fields ? notAFile("file") : errors.missingParameter("file");
    const form = readFileForm(fields, deps.batchFileLifeSeconds);
    if (form.purpose === "batch") {
      if (stored.compressed !== null) stored = await decompressStored(deps, request, stored, stored.compressed, target);
      refuseWrongExtension(stored.filename);
      refuseWrongFirstLine(stored.checks.firstLine.end());
    }
    const { key, filename, info, checks } = stored;
    if (info.bytes > maxBytesOf(form.purpose)) throw errors.fileTooLarge(maxBytesOf(form.purpose));
    return { key, filename, info, form, sha256: checks.sha256() };
  } catch (error) {
    if (stored !== null) await discardBlobs(deps, request, [stored.key]);
    throw error;
  }
}

/** Stores the file as its purpose requires. The purpose is null if it has not arrived yet. */
async function storeFile(
  deps: ReceiveFileDeps,
  { filename: rawName, content }: FilePart,
  purpose: UploadPurpose | null,
  target: FileTarget,
): Promise<StoredFile> {
  const filename = readName(rawName);
  const compressed = readCompressedName(filename);
  if (compressed !== null && purpose === "batch") return storeDecompressed(deps, content, compressed, target);
  if (purpose === "batch") refuseWrongExtension(filename);
  const isUndecided = compressed !== null && purpose === null;
  const key = isUndecided ? `${target.key}.raw` : target.key;
  const checks = createByteChecks(target);
  const info = await storeBlob(deps, key, checks.pass(content, purpose));
  return { key, filename, info, checks, compressed: isUndecided ? compressed : null };
}

async function storeDecompressed(
  deps: ReceiveFileDeps,
  content: AsyncIterable<Uint8Array>,
  { coding, filename }: CompressedName,
  target: FileTarget,
): Promise<StoredFile> {
  const checks = createByteChecks(target);
  const info = await storeBlob(deps, target.key, checks.pass(decompressed(content, coding), "batch"));
  return { key: target.key, filename, info, checks, compressed: null };
}

/** Decompresses a file that arrived before its purpose. If this rejects, `stored` is still there. */
async function decompressStored(
  deps: ReceiveFileDeps,
  request: Request,
  stored: StoredFile,
  compressed: CompressedName,
  target: FileTarget,
): Promise<StoredFile> {
  const content = await onObjectStore(() => deps.objects.openRead(stored.key));
  const expanded = await storeDecompressed(deps, content as AsyncIterable<Buffer>, compressed, target);
  await discardBlobs(deps, request, [stored.key]);
  return expanded;
}

/** Drops NULs, which Postgres cannot hold in text. */
function readName(rawName: string): string {
  const filename = rawName.replaceAll("\0", "");
  if (filename.length <= MAX_FILENAME_LENGTH) return filename;
  throw errors.outOfRange("file", `its name must not be longer than ${String(MAX_FILENAME_LENGTH)} characters`);
}

/** Checks the bytes of a file in one pass. */
interface ByteChecks {
  readonly firstLine: FirstLine;
  /** Yields the bytes of `source`. Throws a RequestError as soon as the file cannot be accepted. Call it once. */
  pass(source: AsyncIterable<Uint8Array>, purpose: UploadPurpose | null): AsyncGenerator<Uint8Array>;
  /** Returns the SHA-256 of the bytes that have passed, or null if it was not requested. Call it once, at the end. */
  sha256(): Buffer | null;
}

function createByteChecks({ wantsHash, limit }: FileTarget): ByteChecks {
  const hash = wantsHash ? createHash("sha256") : null;
  const firstLine = createFirstLine();
  return {
    firstLine,
    sha256: () => hash?.digest() ?? null,
    async *pass(source, purpose) {
      const maxBytes = maxBytesOf(purpose);
      let bytes = 0;
      for await (const chunk of source) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw errors.fileTooLarge(maxBytes);
        if (bytes > limit.maxBytes) throw limit.refusal();
        const verdict = firstLine.push(chunk);
        if (purpose === "batch") refuseWrongFirstLine(verdict);
        hash?.update(chunk);
        yield chunk;
      }
    },
  };
}
