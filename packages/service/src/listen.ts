/** Opens the HTTP server of a process, and closes it without cutting running requests. */
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type AnswerFault, answerConnectionFaults, refuseWithoutHost } from "./connection-faults.ts";
import { lingerOnClose } from "./lingering-close.ts";
import { StartupError } from "./startup-error.ts";

/**
 * Node's default of 5 minutes would cut a large upload over a slow connection. Without a timeout, dead connections
 * would stay open.
 */
const REQUEST_TIMEOUT_MS = 60 * 60 * 1_000;

/** Longer than the 60 s of common load balancers, so that they close idle connections first and never see a reset. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** Another program listens on the requested port. */
export class PortTakenError extends StartupError {
  override readonly name = "PortTakenError";
  readonly port: number;

  constructor(host: string, port: number, options?: ErrorOptions) {
    super(`Port ${String(port)} on ${host} is taken by another program. Set PORT to a free port.`, options);
    this.port = port;
  }
}

export interface Listening {
  /** The address for a client on this machine, without a trailing slash. */
  readonly url: string;
  /** The port in use, even if 0 was requested. */
  readonly port: number;
  /** Stops accepting connections, lets running requests end, and cuts the requests that still run after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Replies to malformed HTTP that never reaches the app. Without it, Node replies without a body. */
  readonly answerFault?: AnswerFault;
}

/** Serves `app`, such as an Express app. Rejects with PortTakenError, or with StartupError for any other refusal. */
export async function listen(app: RequestListener, { host, port, answerFault }: ListenOptions): Promise<Listening> {
  const server = createServer({
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requireHostHeader: answerFault === undefined,
  });
  const running = new Set<ServerResponse>();
  let isClosing = false;
  server.on("request", (request, response) => {
    running.add(response);
    // Node's parser drops the bytes after a request with an Upgrade header that is ignored. A pipelined request would
    // hang.
    if (isClosing || request.headers.upgrade !== undefined) announceClose(response);
    response.once("close", () => {
      running.delete(response);
      if (isClosing) server.closeIdleConnections();
    });
  });
  server.on("request", (request, response) => {
    if (answerFault === undefined || !refuseWithoutHost(request, response, answerFault)) app(request, response);
  });
  server.on("connection", (socket) => {
    // Node removes its own error listener before it emits "connect" or "upgrade". An "error" event without a listener
    // ends the process, so a client that sends CONNECT and resets the connection would stop the API.
    socket.on("error", () => undefined);
  });
  lingerOnClose(server, running);
  if (answerFault !== undefined) answerConnectionFaults(server, running, answerFault);

  await bind(server, host, port);
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${reachable(host)}:${String(bound)}`,
    port: bound,
    close: (graceMs) => {
      isClosing = true;
      for (const response of running) announceClose(response);
      return closeWithin(server, graceMs);
    },
  };
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") reject(new PortTakenError(host, port, { cause: error }));
      else reject(new StartupError(`Cannot listen on ${host}:${String(port)}: ${error.message}`, { cause: error }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

function closeWithin(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
    }, graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}

/** Keeps the client from sending its next request into a connection that is about to close. */
function announceClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader("connection", "close");
}

/** A client cannot connect to a wildcard address. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
