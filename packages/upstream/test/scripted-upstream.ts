/** A loopback server that a test scripts byte by byte, and a client for it. */
import { jest } from "@jest/globals";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { openUpstreamClient, type UpstreamClient, type UpstreamRequest } from "../src/client.ts";
import type { UpstreamReply } from "../src/reply.ts";
import type { UpstreamSettings } from "../src/settings.ts";

/** One request as the server received it. */
export interface Received {
  readonly head: string;
  readonly body: Buffer;
  readonly socket: Socket;
  /** Counts requests from 1. */
  readonly nth: number;
}

/** The server and everything it received. */
export interface Upstream {
  readonly port: number;
  readonly received: Received[];
  readonly sockets: Socket[];
}

const closers: (() => Promise<void>)[] = [];

/** Closes all servers and clients, the last one first. Call it after each test. */
export async function closeUpstreams(): Promise<void> {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
}

/** Starts a server that calls `onRequest` for each request. */
export async function startUpstream(script: (request: Received) => void): Promise<Upstream> {
  const received: Received[] = [];
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      const headEnd = bytes.indexOf("\r\n\r\n");
      const head = bytes.subarray(0, Math.max(headEnd, 0)).toString("latin1");
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (headEnd < 0 || bytes.length < headEnd + 4 + length) return;
      const body = bytes.subarray(headEnd + 4, headEnd + 4 + length);
      bytes = bytes.subarray(headEnd + 4 + length);
      const request = { head, body, socket, nth: received.length + 1 };
      received.push(request);
      script(request);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return { port: (server.address() as AddressInfo).port, received, sockets };
}

/** Opens a client for the server on `port`. */
export function open(port: number, settings: Partial<UpstreamSettings> = {}, maxReplyBytes?: number): UpstreamClient {
  const client = openUpstreamClient(
    {
      name: "default",
      baseUrl: `http://127.0.0.1:${String(port)}/v1`,
      apiKey: null,
      concurrency: 4,
      requestsPerMinute: null,
      timeoutMs: 60_000,
      maxAttempts: 5,
      sliceLines: null,
      headers: {},
      ...settings,
    },
    maxReplyBytes === undefined ? {} : { maxReplyBytes },
  );
  closers.push(() => client.close());
  return client;
}

/** Sends a default request, with the changes of `request`. */
export function send(client: UpstreamClient, request: Partial<UpstreamRequest> = {}): Promise<UpstreamReply> {
  return client.send({
    endpoint: "/v1/chat/completions",
    body: Buffer.from('{"model":"m"}'),
    idempotencyKey: "key",
    signal: new AbortController().signal,
    ...request,
  });
}

/** Replies with a body of known length. `head` may have more header lines. */
export function respond(socket: Socket, body: string | Buffer, head = "HTTP/1.1 200 OK"): void {
  socket.write(`${head}\r\ncontent-length: ${String(Buffer.byteLength(body))}\r\n\r\n`);
  socket.write(body);
}

/** Creates a promise that the test resolves, as a byte budget would. */
export function gate(): { readonly passed: Promise<void>; readonly pass: () => void } {
  let pass = (): void => undefined;
  const passed = new Promise<void>((resolve) => {
    pass = resolve;
  });
  return { passed, pass };
}

/** Waits until the condition is true, or until the test times out. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turn();
}

/** Fakes the clock of timeouts, which then advances only when the test advances it. Sockets keep working. */
export function useFakeClock(): void {
  jest.useFakeTimers({ doNotFake: ["nextTick", "queueMicrotask", "setImmediate", "clearImmediate"] });
}
