/**
 * Sends one POST to an untrusted server, on a new connection, limited in time and bytes. It uses node:http and not
 * undici, because node:http has the lookup hook, follows no redirects, uses no proxy, and has no assertion that a
 * hostile reply can trigger (docs/adr/0020-webhooks.md).
 */
import { request as requestHttp, type IncomingMessage, type RequestOptions } from "node:http";
import { request as requestHttps } from "node:https";
import { literalAddress } from "./endpoint-url.ts";
import { guardedLookup, PrivateAddressError, type Resolve } from "./guarded-lookup.ts";
import { isPublicAddress } from "./public-address.ts";

/**
 * The maximum number of bytes of a reply's body that are read and discarded, so that an ordinary server can finish its
 * reply.
 */
const MAX_REPLY_BYTES = 16 * 1_024;

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The timeout for everything: lookup, connection, TLS and reply. */
  readonly timeoutMs: number;
  /** True if the request may go to this machine and to private networks. */
  readonly allowPrivate: boolean;
  readonly resolve: Resolve;
  readonly signal: AbortSignal;
}

/**
 * Resolves with any status once the reply's body has ended or exceeded 16 KiB. Rejects if there is no reply: with
 * PrivateAddressError, a DOMException named TimeoutError, the reason of `signal`, or the socket's error.
 */
export async function post(url: URL, options: PostOptions): Promise<number> {
  const literal = literalAddress(url.hostname);
  // Node does not look up a literal address, so the lookup hook does not see it.
  if (!options.allowPrivate && literal !== null && !isPublicAddress(literal)) throw new PrivateAddressError(literal);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, timeout]);
  signal.throwIfAborted();
  const settings: RequestOptions = {
    method: "POST",
    headers: { ...options.headers, "content-length": Buffer.byteLength(options.body) },
    // This opens a new connection for this request only.
    agent: false,
    signal,
    ...(options.allowPrivate ? {} : { lookup: guardedLookup(options.resolve) }),
  };
  try {
    return await exchange(url, settings, options.body);
  } catch (error) {
    // Node wraps the reason of an abort in its own error.
    throw signal.aborted ? signal.reason : error;
  }
}

function exchange(url: URL, settings: RequestOptions, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, settings, (reply) => {
      const { statusCode = 0 } = reply;
      const done = (): void => {
        resolve(statusCode);
        request.destroy();
      };
      // The status is known, so later errors of this exchange do not matter.
      request.off("error", reject).on("error", done);
      discard(reply, done);
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Discards the body, and calls `done` when it ends, fails or exceeds the limit. */
function discard(reply: IncomingMessage, done: () => void): void {
  let bytes = 0;
  reply.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_REPLY_BYTES) done();
  });
  reply.on("error", done);
  reply.on("close", done);
}
