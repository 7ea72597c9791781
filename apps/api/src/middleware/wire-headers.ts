/**
 * The headers that OpenAI's replies carry besides the request's id (contract §5.3), on everything below /v1. Pages of other
 * sites may call: the key is in a header that only whoever has it can send, so there is nothing for a browser to guard.
 */
import type { RequestHandler } from "express";

/** The version that all of OpenAI's replies name. */
const OPENAI_VERSION = "2020-10-01";

/** What a page's script may read of a reply, beside the few headers that it may always read. */
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

/** Seconds for which a browser need not ask again; none takes more. */
const PREFLIGHT_SECONDS = "7200";

/** Sets them, and answers the question that a browser asks before a page's request, for any path: it tells nothing. */
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
