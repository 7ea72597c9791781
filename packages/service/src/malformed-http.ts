/** What a server answers where Node's parser gives up: no app sees such a request, and Node's own answer has no body. */
import { type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

/** What is wrong with the bytes: no HTTP, a head of over 16 KiB, or a request that took too long to arrive. */
export type MalformedHttp = "malformed" | "head_too_large" | "too_slow";

/** The reply to it. Its body is sent as JSON. */
export interface MalformedHttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** By the code of Node's error. */
const KINDS: Readonly<Record<string, MalformedHttp>> = {
  HPE_HEADER_OVERFLOW: "head_too_large",
  ERR_HTTP_REQUEST_TIMEOUT: "too_slow",
};

/** Answers on `server`, then closes the connection; only closes it where a reply to an earlier part of it is on its way (`running`). */
export function answerMalformedHttp(
  server: Server,
  running: Iterable<ServerResponse>,
  replyTo: (kind: MalformedHttp) => MalformedHttpReply,
): void {
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) => {
    const isAnswering = [...running].some((response) => response.socket === socket && response.headersSent);
    if (socket.writable && !isAnswering) socket.end(render(replyTo(KINDS[error.code ?? ""] ?? "malformed")));
    else socket.destroy(error);
  });
}

function render({ status, headers, body }: MalformedHttpReply): string {
  const lines = Object.entries({
    ...headers,
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ""}`, ...lines, "", body].join("\r\n");
}
