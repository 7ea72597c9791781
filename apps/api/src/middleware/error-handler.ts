/** Turns errors into responses: maps each kind to a status and a `type`, in the envelope of contract §5.1. */
import { isDbUnavailable } from "@nightshift/db";
import { type ErrorKind, type ErrorReply, errors, RequestError } from "@nightshift/domain";
import type { Logger } from "@nightshift/service";
import type { ErrorRequestHandler, Response } from "express";

interface Answer {
  readonly status: number;
  readonly type: string;
}

const clientError = (status: number): Answer => ({ status, type: "invalid_request_error" });

/** A body that is too large gets 400 and not 413, like at OpenAI (contract §5.2). */
const ANSWERS: Readonly<Record<ErrorKind, Answer>> = {
  invalid: clientError(400),
  unauthenticated: clientError(401),
  forbidden: clientError(403),
  not_found: clientError(404),
  method: clientError(405),
  timeout: clientError(408),
  conflict: clientError(409),
  range: clientError(416),
  limited: { status: 429, type: "rate_limit_error" },
  head_too_large: clientError(431),
  unavailable: { status: 503, type: "server_error" },
};

export function answerOf(kind: ErrorKind): Answer {
  return ANSWERS[kind];
}

/**
 * The error handler of the app. An error that is not a RequestError becomes a 500 with a fixed text; the log has the
 * details.
 */
export function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const known = toRequestError(error, request.method, request.path);
    const requestId = String(response.getHeader("x-request-id"));
    if (known === null) logger.error({ err: error, requestId }, "a request failed");
    else if (known.facts.kind === "unavailable") logger.warn({ err: known.cause, requestId }, known.message);

    // Part of the reply has been sent. Closing the connection is the only way to tell the client.
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (known === null) response.status(500).json(internalErrorReply(requestId));
    else sendKnownError(response, known);
  };
}

/** Returns the body of an error reply. */
export function errorReply({ message, facts }: RequestError): ErrorReply {
  const { type } = answerOf(facts.kind);
  const envelope = { error: { message, type, param: facts.param, code: facts.code } };
  return facts.hasDetail === true ? { ...envelope, detail: { message, code: null } } : envelope;
}

function sendKnownError(response: Response, known: RequestError): void {
  const { facts } = known;
  const { status } = answerOf(facts.kind);
  if (facts.retryAfterSeconds !== undefined) response.setHeader("retry-after", String(facts.retryAfterSeconds));
  if (facts.retryAfterMs !== undefined) response.setHeader("retry-after-ms", String(facts.retryAfterMs));
  if (status === 401 && !response.hasHeader("www-authenticate")) response.setHeader("www-authenticate", "Bearer");
  response.status(status).json(errorReply(known));
}

/** Returns the body of a 500. */
export function internalErrorReply(requestId: string): ErrorReply {
  const message = `The server had an error while processing your request. When reporting it, please name the request id ${requestId}.`;
  return { error: { message, type: "server_error", param: null, code: null } };
}

function toRequestError(error: unknown, method: string, path: string): RequestError | null {
  if (error instanceof RequestError) return error;
  if (isDbUnavailable(error)) return errors.unavailable("database", error);
  // The router of Express throws a URIError for a path whose %-escapes are not UTF-8.
  if (error instanceof URIError) return errors.unknownUrl(method, path);
  return null;
}
