/** What a connection can bring instead of a request, and how it is answered: no app ever sees it. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** `head_too_large`: beyond Node's 16 KiB; `too_slow`: the head took more than a minute, or the whole request more than an hour. */
export interface ConnectionFault {
  readonly kind: "malformed" | "head_too_large" | "too_slow";
  /** What is wrong, in the words of who noticed it. */
  readonly reason: string;
}

/** A whole reply; `content-length` and `connection: close` are added to its headers. */
export interface FaultReply {
  readonly status: number;
  /** As it stands behind the status: RFC 9112 §4. */
  readonly reasonPhrase: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Called once for each fault that can still be answered. */
export type AnswerFault = (fault: ConnectionFault) => FaultReply;

/**
 * Answers faults by `answer` instead of Node's replies without a body, and closes the connection. Nothing is answered once the head
 * of a reply to the same request is sent, and a fault behind a request that is whole waits for that one's reply (RFC 9112 §9.3.2).
 * `running` are the replies under way.
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
    // The parser complains again of each further piece.
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
    refuse(socket, { kind: "malformed", reason: "CONNECT is for proxies, and this is none" });
  });
  // An expectation that is not known may be passed over (RFC 9110 §10.1.1).
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    server.emit("request", request, response);
  });
}

/** True where a request of HTTP/1.1 lacks what it must have (RFC 9112 §3.2); it is answered then. */
export function refuseWithoutHost(request: IncomingMessage, response: ServerResponse, answer: AnswerFault): boolean {
  if (request.headers.host !== undefined || request.httpVersion !== "1.1") return false;
  const { status, headers, body } = answer({ kind: "malformed", reason: "its Host header is missing" });
  response.writeHead(status, { ...headers, ...closingHeaders(body) }).end(body);
  return true;
}

function faultOf(error: Error): ConnectionFault {
  const code = "code" in error ? String(error.code) : "";
  // What the parser says is in `reason`; `message` has a prefix of Node's.
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
