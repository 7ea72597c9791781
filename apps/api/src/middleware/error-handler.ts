/** The only place where an error becomes a response: kind to status and OpenAI `type`, in the envelope of contract §5.1. */
import { isDbUnavailable } from "@nightshift/db";
import { type ErrorKind, type ErrorReply, errors, RequestError } from "@nightshift/domain";
import type { Logger } from "@nightshift/service";
import type { ErrorRequestHandler, Response } from "express";

interface Answer {
  readonly status: number;
  readonly type: string;
}

const refused = (status: number): Answer => ({ status, type: "invalid_request_error" });

/** 400 and not 413 for what is too large, as OpenAI has it: contract §5.2. */
const ANSWERS: Readonly<Record<ErrorKind, Answer>> = {
  invalid: refused(400),
  unauthenticated: refused(401),
  forbidden: refused(403),
  not_found: refused(404),
  method: refused(405),
  timeout: refused(408),
  conflict: refused(409),
  range: refused(416),
  limited: { status: 429, type: "rate_limit_error" },
  head_too_large: refused(431),
  unavailable: { status: 503, type: "server_error" },
};

export function answerOf(kind: ErrorKind): Answer {
  return ANSWERS[kind];
}

/** Express' last word. What is not a RequestError is ours: 500 with a fixed text, the facts in the log only. */
export function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const known = recognise(error, request.method, request.path);
    const requestId = String(response.getHeader("x-request-id"));
    if (known === null) logger.error({ err: error, requestId }, "a request failed");
    else if (known.facts.kind === "unavailable") logger.warn({ err: known.cause, requestId }, known.message);

    // Half of an answer is on its way: cutting the connection is the only way left to tell the client.
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (known === null) response.status(500).json(internalErrorReply(requestId));
    else sendKnownError(response, known);
  };
}

/** The body of the reply to a refused request. */
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

/** The body of a 500. */
export function internalErrorReply(requestId: string): ErrorReply {
  const message = `The server had an error while processing your request. When reporting it, please name the request id ${requestId}.`;
  return { error: { message, type: "server_error", param: null, code: null } };
}

function recognise(error: unknown, method: string, path: string): RequestError | null {
  if (error instanceof RequestError) return error;
  if (isDbUnavailable(error)) return errors.unavailable("database", error);
  // Express' router, on a path whose %-escapes are not UTF-8.
  if (error instanceof URIError) return errors.unknownUrl(method, path);
  return null;
}
