/**
 * Sets `openai-version` (contract §5.3) and the CORS headers on every reply below /v1. Any origin is allowed: a call
 * needs a key in a header, and no cookie grants access. ADR 26 says why this is not the `cors` package: it would add a
 * dependency for the same four headers.
 */
import type { RequestHandler } from "express";

/** The version in every reply of OpenAI. */
const OPENAI_VERSION = "2020-10-01";

/** The response headers that scripts of other origins may read, besides the CORS-safelisted ones. */
const EXPOSED = [
  "x-request-id",
  "openai-processing-ms",
  "openai-version",
  "openai-organization",
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
  "idempotency-replayed",
  "content-disposition",
  "content-range",
  "accept-ranges",
  "etag",
].join(", ");

/** The number of seconds that browsers cache a preflight reply. Chromium caps it at this value. */
const PREFLIGHT_SECONDS = "7200";

/**
 * Also answers preflight requests, in the same way for known and unknown paths, so that the replies do not reveal which
 * paths exist.
 */
export const wireHeaders: RequestHandler = (request, response, next) => {
  response.setHeader("openai-version", OPENAI_VERSION);
  response.setHeader("access-control-allow-origin", "*");
  const wanted = request.headers["access-control-request-method"];
  if (request.method !== "OPTIONS" || request.headers.origin === undefined || wanted === undefined) {
    response.setHeader("access-control-expose-headers", EXPOSED);
    next();
    return;
  }
  response.setHeader("access-control-allow-methods", "GET, HEAD, POST, DELETE");
  response.setHeader("access-control-allow-headers", request.headers["access-control-request-headers"] ?? "*");
  response.setHeader("access-control-max-age", PREFLIGHT_SECONDS);
  response.status(204).end();
};
