/**
 * Decompresses uploads as a stream, in bounded memory: gzip (RFC 1952) with Node, zstd (RFC 8878) with fzstd. A request
 * is compressed if its `Content-Encoding` says so, and a file is compressed if its name says so.
 */
import { pipeline } from "node:stream/promises";
import { types } from "node:util";
import { constants, createGunzip } from "node:zlib";
import { errors } from "@nightshift/domain";
import type { Request } from "express";
import { unzstd } from "./zstd.ts";

export const CODINGS = ["gzip", "zstd"] as const;
export type Coding = (typeof CODINGS)[number];

export interface CompressedName {
  readonly coding: Coding;
  /** The name of the decompressed file. */
  readonly filename: string;
}

/** Splits names like `requests.jsonl.gz` and `requests.jsonl.zst`. Returns null for any other name. */
export function readCompressedName(filename: string): CompressedName | null {
  const found = /^(.*\.jsonl)\.(gz|zst)$/is.exec(filename);
  if (found === null) return null;
  return { coding: found[2]?.toLowerCase() === "gz" ? "gzip" : "zstd", filename: found[1] ?? "" };
}

/**
 * Returns the coding of the request's body, or null if it has none. Throws a RequestError if the coding is not
 * supported.
 */
export function readContentEncoding(request: Pick<Request, "headers">): Coding | null {
  const text = (request.headers["content-encoding"] ?? "").trim().toLowerCase();
  if (text === "" || text === "identity") return null;
  const coding = CODINGS.find((each) => each === text || `x-${each}` === text);
  if (coding === undefined) throw errors.unsupportedEncoding(text, CODINGS);
  return coding;
}

/**
 * Yields the decompressed bytes. Throws a RequestError if the data is damaged, cut short or in another format, and
 * rethrows the errors of `source`. When the reader stops, decompression stops.
 */
export async function* decompressed(source: AsyncIterable<Uint8Array>, coding: Coding): AsyncGenerator<Uint8Array> {
  yield* coding === "gzip" ? gunzipped(source) : unzstd(source);
}

async function* gunzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 64 * 1024, flush: constants.Z_NO_FLUSH });
  const feeding = pipeline(source, gunzip);
  // The pipeline destroys `gunzip` with its error, so the loop below throws the same error.
  feeding.catch(() => undefined);
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    throw isZlibError(error) ? errors.damagedCompression("gzip", error.message) : error;
  }
}

function isZlibError(error: unknown): error is Error {
  return types.isNativeError(error) && "code" in error && String(error.code).startsWith("Z_");
}
