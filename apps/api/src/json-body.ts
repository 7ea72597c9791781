/** Reads the JSON body of a request, where a route wants one. */
import { errors } from "@nightshift/domain";
import { json, type Request, type RequestHandler, type Response } from "express";

/** 1 MB: the largest body that a route of ours can need is metadata of 16 pairs. */
export const MAX_JSON_BYTES = 1_000_000;

/** Whatever the Content-Type says: a curl call without that header means JSON too. */
const read: RequestHandler = json({ limit: MAX_JSON_BYTES, type: () => true });

/** The parsed body; an empty one is an empty object. Throws a RequestError for what is not a JSON object or too large. */
export function readJsonBody(request: Request, response: Response): Promise<unknown> {
  return new Promise((resolve, reject) => {
    read(request, response, (error?: unknown) => {
      if (error !== undefined) reject(isTooLarge(error) ? errors.bodyTooLarge(MAX_JSON_BYTES) : errors.malformedJson());
      else resolve((request.body as unknown) ?? {});
    });
  });
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "type" in error && error.type === "entity.too.large";
}
