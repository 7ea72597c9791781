/** Reads the JSON body of a request, for the routes that have one. */
import { errors, type RequestError } from "@nightshift/domain";
import { json, type Request, type RequestHandler, type Response } from "express";

/**
 * 1 MB. A retry of 50,000 request numbers is 290 kB, and 10,000 part ids are 400 kB. A retry by 50,000 custom_ids fits
 * if they have 17 characters on average.
 */
export const MAX_JSON_BYTES = 1_000_000;

/** The encodings that body-parser decompresses. The size limit applies to the decompressed body. */
const ENCODINGS = ["gzip", "deflate", "br"];

/** Ignores the Content-Type, because `curl -d` declares JSON as a form by default. */
const read: RequestHandler = json({ limit: MAX_JSON_BYTES, type: () => true });

/**
 * Returns the parsed body. An empty body becomes an empty object. Rejects with a RequestError if the body is too large
 * or is not JSON.
 */
export function readJsonBody(request: Request, response: Response): Promise<unknown> {
  return new Promise((resolve, reject) => {
    read(request, response, (error?: unknown) => {
      if (error !== undefined) reject(toRequestError(error, request));
      else resolve((request.body as unknown) ?? {});
    });
  });
}

/** body-parser gives each of its errors a `type`. */
function toRequestError(error: unknown, request: Request): RequestError {
  const type = error instanceof Error && "type" in error ? error.type : undefined;
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (type === "entity.too.large") return errors.bodyTooLarge(MAX_JSON_BYTES);
  if (type === "encoding.unsupported") return errors.unsupportedEncoding(encoding, ENCODINGS);
  // Errors of zlib have a code instead of a type.
  if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_")) {
    return errors.damagedCompression(encoding, error.message);
  }
  return errors.malformedJson();
}
