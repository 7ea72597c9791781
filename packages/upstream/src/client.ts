/**
 * The HTTP client of one upstream: sends a line's bytes and returns the reply's bytes. It has no retries and no limits.
 */
import { createAbortWatch } from "./abort-watch.ts";
import { pathBelow } from "./base-url.ts";
import { createConnector } from "./connect.ts";
import { createConnectionPool } from "./connections.ts";
import { Exchange } from "./exchange.ts";
import type { UpstreamReply } from "./reply.ts";
import type { UpstreamSettings } from "./settings.ts";

/** The maximum size of the body of a reply. A larger reply is `broken`. */
const MAX_REPLY_BYTES = 256 * 1024 * 1024;

/** The maximum time to wait for a connection. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface UpstreamRequest {
  /** One of the API's endpoints, such as `/v1/chat/completions`. */
  readonly endpoint: string;
  /** The bytes to send, unchanged. Do not modify them before the reply arrives. */
  readonly body: Uint8Array;
  readonly idempotencyKey: string;
  /** Aborts the exchange: the reply is `broken` with the message `aborted`. */
  readonly signal: AbortSignal;
  /**
   * Called with the size of each chunk of the reply's body. While the returned promise is pending, the socket is not
   * read and the timeout is paused. If it throws or rejects, `send` rejects with that error.
   */
  readonly onBytes?: (n: number) => void | Promise<void>;
}

export interface UpstreamClient {
  /** Failures of the network or the upstream do not reject: they are an UpstreamReply. */
  send(request: UpstreamRequest): Promise<UpstreamReply>;
  /** Aborts the requests in flight (`broken`, `aborted`) and closes the connections. */
  close(): Promise<void>;
}

/** Opens up to `settings.concurrency` connections, each when it is first needed. */
export function openUpstreamClient(
  settings: UpstreamSettings,
  { maxReplyBytes = MAX_REPLY_BYTES }: { readonly maxReplyBytes?: number } = {},
): UpstreamClient {
  const base = new URL(settings.baseUrl);
  const connections = createConnectionPool(base.origin, settings.concurrency, {
    pipelining: 1,
    connect: createConnector(Math.min(CONNECT_TIMEOUT_MS, settings.timeoutMs)),
    // The exchange has its own timeout, which can be paused. These two cannot.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: maxReplyBytes,
  });
  const commonHeaders = listHeaders(settings);
  const aborts = createAbortWatch();
  const paths = new Map<string, string>();

  const pathOf = (endpoint: string): string => {
    let path = paths.get(endpoint);
    if (path === undefined) paths.set(endpoint, (path = pathBelow(base, endpoint)));
    return path;
  };

  return {
    send({ endpoint, body, idempotencyKey, signal, onBytes }) {
      if (signal.aborted || connections.isDestroyed()) return Promise.resolve({ kind: "broken", message: "aborted" });
      const path = pathOf(endpoint);
      const headers = [...commonHeaders, "idempotency-key", idempotencyKey];
      const connection = connections.take();
      const exchange = new Exchange({
        timeoutMs: settings.timeoutMs,
        signal,
        aborts,
        onBytes,
        onEnd: () => {
          connections.giveBack(connection);
        },
      });
      connection.dispatch({ method: "POST", path, headers, body }, exchange);
      return exchange.reply;
    },
    close: () => connections.destroy(),
  };
}

/** Returns names and values alternately, the cheapest form for undici. Configured headers override ours. */
function listHeaders({ apiKey, headers }: UpstreamSettings): string[] {
  const all: Record<string, string> = {
    "user-agent": "nightshift",
    accept: "application/json",
    ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }),
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    "content-type": "application/json",
    "accept-encoding": "identity",
  };
  return Object.entries(all).flat();
}
