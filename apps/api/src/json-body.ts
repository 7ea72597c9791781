/** Reads the JSON body of a request, where a route wants one. */
import { errors, type RequestError } from "@nightshift/domain";
import { json, type Request, type RequestHandler, type Response } from "express";

/** 1 MB: the largest body that a route of ours can need is metadata of 16 pairs. */
export const MAX_JSON_BYTES = 1_000_000;

/** What body-parser decompresses; the limit holds for what comes out. */
const ENCODINGS = ["gzip", "deflate", "br"];

/** Whatever the Content-Type says: a curl call without that header means JSON too. */
const read: RequestHandler = json({ limit: MAX_JSON_BYTES, type: () => true });

/** The parsed body; an empty one is an empty object. Throws a RequestError for what is not a JSON object or too large. */
export function readJsonBody(request: Request, response: Response): Promise<unknown> {
  return new Promise((resolve, reject) => {
    read(request, response, (error?: unknown) => {
      if (error !== undefined) reject(toRequestError(error, request));
      else resolve((request.body as unknown) ?? {});
    });
  });
}

/** By the `type` that body-parser gives its errors. */
function toRequestError(error: unknown, request: Request): RequestError {
  const type = error instanceof Error && "type" in error ? error.type : undefined;
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (type === "entity.too.large") return errors.bodyTooLarge(MAX_JSON_BYTES);
  if (type === "encoding.unsupported") return errors.unsupportedEncoding(encoding, ENCODINGS);
  // What the decompressor itself throws has a code and no type of body-parser's.
  if (error instanceof Error && "code" in error && String(error.code).startsWith("Z_")) {
    return errors.damagedCompression(encoding, error.message);
  }
  return errors.malformedJson();
}
