/**
 * One POST to a stranger's server: bounded in time and in bytes, on a connection of its own. node:http and not undici: it
 * has the look-up hook, follows no redirect, uses no proxy, and no reply of a hostile server can trip an assertion in it
 * (docs/adr/0020-webhooks.md).
 */
import { request as requestHttp, type IncomingMessage, type RequestOptions } from "node:http";
import { request as requestHttps } from "node:https";
import { literalAddress } from "./endpoint-url.ts";
import { guardedLookup, PrivateAddressError, type Resolve } from "./guarded-lookup.ts";
import { isPublicAddress } from "./public-address.ts";

/** So much of a reply's body is taken, and thrown away, so that an ordinary server can end its reply in peace. */
const MAX_REPLY_BYTES = 16 * 1_024;

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For all of it: look-up, connection, TLS, reply. */
  readonly timeoutMs: number;
  /** Whether it may go to this machine and to private networks. */
  readonly allowPrivate: boolean;
  readonly resolve: Resolve;
  readonly signal: AbortSignal;
}

/**
 * Resolves with the status of the reply, whatever it is, as soon as its body has ended or had more than 16 KiB. Rejects
 * where no reply came: PrivateAddressError, a DOMException named TimeoutError, the reason of `signal`, or what the socket said.
 */
export async function post(url: URL, options: PostOptions): Promise<number> {
  const literal = literalAddress(url.hostname);
  // A literal address is not looked up, so no hook sees it.
  if (!options.allowPrivate && literal !== null && !isPublicAddress(literal)) throw new PrivateAddressError(literal);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, timeout]);
  signal.throwIfAborted();
  const settings: RequestOptions = {
    method: "POST",
    headers: { ...options.headers, "content-length": Buffer.byteLength(options.body) },
    // A connection for this request alone.
    agent: false,
    signal,
    ...(options.allowPrivate ? {} : { lookup: guardedLookup(options.resolve) }),
  };
  try {
    return await exchange(url, settings, options.body);
  } catch (error) {
    // Node wraps the reason of an abort in an error of its own.
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
      // The status is known: whatever happens to the rest of the exchange changes nothing any more.
      request.off("error", reject).on("error", done);
      discard(reply, done);
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Calls `done` at the end of the body, however it ends, and beyond what is taken of it. */
function discard(reply: IncomingMessage, done: () => void): void {
  let bytes = 0;
  reply.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_REPLY_BYTES) done();
  });
  reply.on("error", done);
  reply.on("close", done);
}
