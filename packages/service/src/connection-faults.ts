/** Replies to connections whose bytes are not a valid request. Express never sees these. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/**
 * `head_too_large` means that the head exceeds Node's 16 KiB. `too_slow` means that the head took over a minute, or the
 * request over an hour.
 */
export interface ConnectionFault {
  readonly kind: "malformed" | "head_too_large" | "too_slow";
  /** The reason, in the words of Node's HTTP parser. */
  readonly reason: string;
}

/** A complete reply, to which `content-length` and `connection: close` are added. */
export interface FaultReply {
  readonly status: number;
  /** The text after the status: RFC 9112 §4. */
  readonly reasonPhrase: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Returns the reply to a fault. Called once for each fault that can still get a reply. */
export type AnswerFault = (fault: ConnectionFault) => FaultReply;

/**
 * Sends the replies of `answer` instead of Node's, which have no body, and closes the connection. A request whose reply
 * has begun gets no second reply. A fault after a complete request waits for that request's reply (RFC 9112 §9.3.2).
 * `running` contains the unfinished replies.
 */
export function answerConnectionFaults(
  server: Server,
  running: ReadonlySet<ServerResponse>,
  answer: AnswerFault,
): void {
  const answered = new WeakSet<Duplex>();
  const refuse = (socket: Duplex, fault: ConnectionFault): void => {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(print(answer(fault)), () => socket.destroy());
  };
  server.on("clientError", (error: Error, socket: Duplex) => {
    // The parser reports an error again for each further chunk.
    if (answered.has(socket)) return;
    answered.add(socket);
    const before = [...running].filter(({ req }) => req.socket === socket).at(-1);
    if (before === undefined || (!before.req.complete && !before.headersSent)) refuse(socket, faultOf(error));
    else if (!before.req.complete) socket.destroy();
    else {
      before.once("finish", () => {
        refuse(socket, faultOf(error));
      });
    }
  });
  server.on("connect", (_request: IncomingMessage, socket: Duplex) => {
    refuse(socket, { kind: "malformed", reason: "CONNECT is for proxies, and this server is not a proxy" });
  });
  // An unknown expectation may be ignored (RFC 9110 §10.1.1).
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    server.emit("request", request, response);
  });
}

/** Replies to an HTTP/1.1 request without its required Host header (RFC 9112 §3.2), and reports whether it did. */
export function refuseWithoutHost(request: IncomingMessage, response: ServerResponse, answer: AnswerFault): boolean {
  if (request.headers.host !== undefined || request.httpVersion !== "1.1") return false;
  const { status, headers, body } = answer({ kind: "malformed", reason: "its Host header is missing" });
  response.writeHead(status, { ...headers, ...closingHeaders(body) }).end(body);
  return true;
}

function faultOf(error: Error): ConnectionFault {
  const code = "code" in error ? String(error.code) : "";
  // The parser's own words are in `reason`; `message` adds a prefix.
  const reason = "reason" in error && typeof error.reason === "string" ? error.reason : error.message;
  if (code === "HPE_HEADER_OVERFLOW" || code === "HPE_CHUNK_EXTENSIONS_OVERFLOW")
    return { kind: "head_too_large", reason };
  return { kind: code === "ERR_HTTP_REQUEST_TIMEOUT" ? "too_slow" : "malformed", reason };
}

function print({ status, reasonPhrase, headers, body }: FaultReply): string {
  const lines = Object.entries({ ...headers, ...closingHeaders(body) }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${String(status)} ${reasonPhrase}\r\n${lines.join("")}\r\n${body}`;
}

function closingHeaders(body: string): Record<string, string> {
  return { "content-length": String(Buffer.byteLength(body)), connection: "close" };
}
