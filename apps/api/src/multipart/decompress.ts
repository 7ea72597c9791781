/** Compressed bytes → what is in them, as a stream, in bounded memory: gzip (RFC 1952) by Node, zstd (RFC 8878) by fzstd. */
import { pipeline } from "node:stream/promises";
import { types } from "node:util";
import { constants, createGunzip } from "node:zlib";
import { errors } from "@nightshift/domain";
import { unzstd } from "./zstd.ts";

export const CODINGS = ["gzip", "zstd"] as const;
export type Coding = (typeof CODINGS)[number];

/**
 * The decompressed bytes. Throws the RequestError of data that is damaged, cut short or of another format, else as `source`
 * does; whoever has seen enough just stops reading, and nothing more is decompressed.
 */
export async function* decompressed(source: AsyncIterable<Uint8Array>, coding: Coding): AsyncGenerator<Uint8Array> {
  yield* coding === "gzip" ? gunzipped(source) : unzstd(source);
}

async function* gunzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 64 * 1024, flush: constants.Z_NO_FLUSH });
  const feeding = pipeline(source, gunzip);
  // What fails is told by the reading below, which the pipeline breaks off.
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
