/** A multipart request whose whole body is compressed, as one that is not. */
import { Readable } from "node:stream";
import { errors, MAX_FILE_BYTES } from "@nightshift/domain";
import type { Request } from "express";
import { decompressed, type Coding } from "./decompress.ts";

/** What a form may have beside its largest file. */
const FORM_BYTES = 1024 * 1024;

/**
 * Reads like `request`, decompressed, and fails with a RequestError where its body is damaged or becomes larger than any
 * upload may be. Destroy it to stop: `request` stays open for the answer, and is the caller's to drain.
 */
export function decodedRequest(request: Request, coding: Coding): Request {
  const raw = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  const body = Readable.from(limited(decompressed(raw, coding)), { objectMode: false });
  return Object.assign(body, { headers: request.headers }) as unknown as Request;
}

async function* limited(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > MAX_FILE_BYTES + FORM_BYTES) throw errors.fileTooLarge(MAX_FILE_BYTES);
    yield chunk;
  }
}
