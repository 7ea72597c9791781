/** Describes the errors of undici and Node for a user's error file, without addresses and internals. */
import type { UpstreamReply } from "./reply.ts";

type Failure = Extract<UpstreamReply, { message: string }>;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the upstream refused the connection",
  ENOTFOUND: "the upstream's host name could not be resolved",
  EAI_AGAIN: "the name server for the upstream's host name did not answer",
  EHOSTUNREACH: "the upstream's host cannot be reached",
  ENETUNREACH: "the upstream's network cannot be reached",
  ETIMEDOUT: "the connection to the upstream timed out",
  UND_ERR_CONNECT_TIMEOUT: "the connection to the upstream timed out",
  ECONNRESET: "the upstream reset the connection while it was being opened",
  EPIPE: "the upstream closed the connection",
  UND_ERR_SOCKET: "the upstream closed or reset the connection before its reply was complete",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "the upstream's reply does not have the length of its Content-Length header",
  UND_ERR_RES_EXCEEDED_MAX_SIZE: "the upstream's reply is too large",
  UND_ERR_HEADERS_OVERFLOW: "the headers of the upstream's reply are too large",
};

/**
 * A request that undici never began to write is `refused`, regardless of what prevented the connection (DNS, routing,
 * TLS). A later failure is `broken`, because the upstream may have received the request.
 */
export function describeFailure(error: Error, wasSent: boolean): Failure {
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  if (code === "UND_ERR_DESTROYED" || code === "UND_ERR_CLOSED") return { kind: "broken", message: "aborted" };
  return { kind: wasSent ? "broken" : "refused", message: REASONS[code] ?? fallback(code, wasSent) };
}

function fallback(code: string, wasSent: boolean): string {
  if (code.startsWith("HPE_") || code === "HTTPParserError") return "the upstream's reply is not HTTP/1.1";
  return wasSent
    ? `the connection to the upstream failed during the request (${code})`
    : `the connection to the upstream could not be opened (${code})`;
}
