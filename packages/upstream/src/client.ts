/** The HTTP client of one upstream: sends a line's bytes, hands back the reply's bytes. No retries and no limits here. */
import { createAbortWatch } from "./abort-watch.ts";
import { pathBelow } from "./base-url.ts";
import { createConnector } from "./connect.ts";
import { createConnectionPool } from "./connections.ts";
import { Exchange } from "./exchange.ts";
import type { UpstreamReply } from "./reply.ts";
import type { UpstreamSettings } from "./settings.ts";

/** Largest body of a reply; a larger one is `broken`. */
const MAX_REPLY_BYTES = 256 * 1024 * 1024;

/** Longest wait for a connection. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface UpstreamRequest {
  /** One of the API's endpoints, such as `/v1/chat/completions`. */
  readonly endpoint: string;
  /** Sent as it is. Must not change before the reply is in. */
  readonly body: Uint8Array;
  readonly idempotencyKey: string;
  /** Breaks the exchange off: `broken`, with the message `aborted`. */
  readonly signal: AbortSignal;
  /**
   * Told of each piece of the reply's body, in bytes. While a promise it returned is pending, the socket is not read
   * and the time-out's clock stands still. What it throws, `send` rejects with.
   */
  readonly onBytes?: (n: number) => void | Promise<void>;
}

export interface UpstreamClient {
  /** Never rejects for trouble on the network or at the upstream: that is a UpstreamReply. */
  send(request: UpstreamRequest): Promise<UpstreamReply>;
  /** Breaks off what is still in flight (`broken`, `aborted`) and closes the connections. */
  close(): Promise<void>;
}

/** Opens at most `settings.concurrency` connections, each when it is first needed. */
export function openUpstreamClient(
  settings: UpstreamSettings,
  { maxReplyBytes = MAX_REPLY_BYTES }: { readonly maxReplyBytes?: number } = {},
): UpstreamClient {
  const base = new URL(settings.baseUrl);
  const connections = createConnectionPool(base.origin, settings.concurrency, {
    pipelining: 1,
    connect: createConnector(Math.min(CONNECT_TIMEOUT_MS, settings.timeoutMs)),
    // The exchange has one clock of its own, which can stand still; these two cannot.
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

/** Names and values in turn: the form that costs undici least. Configured headers win over ours. */
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
