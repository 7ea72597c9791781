/** Sends raw bytes over a connection, which no HTTP client would send, and checks the replies. */
import { connect } from "node:net";

/** The bytes that are written to one connection. */
export interface RawExchange {
  readonly bytes: Buffer;
  /**
   * The number of requests in the bytes. The last request asks the server to close the connection. Null if the bytes
   * are damaged and the number is unknown: the client then ends its side, and the server may close without a reply.
   */
  readonly requests: number | null;
}

export interface RawReply {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** A connection without activity for this long counts as hanging, because no request here makes the server wait. */
const HANGS_AFTER_MS = 20_000;

/** The statuses that a reply may have, whatever was sent. 503 is documented for an unavailable store. */
const STATUSES = new Set([100, 200, 206, 304, 400, 401, 403, 404, 405, 408, 409, 416, 429, 431, 503]);

/** The replies that came back over one connection. */
export interface RawReplies {
  readonly replies: readonly RawReply[];
  /**
   * True if the server closed the connection while the client was still writing. Node's sockets then drop all unread
   * bytes.
   */
  readonly isCut: boolean;
}

/**
 * Sends the bytes, and resolves with the replies when the server has closed the connection. Rejects if the connection
 * hangs.
 */
export async function exchangeRaw(url: string, { bytes, requests }: RawExchange): Promise<RawReplies> {
  const socket = connect(Number(new URL(url).port), new URL(url).hostname);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  let isCut = false;
  socket.on("error", () => {
    isCut = true;
  });
  const closed = new Promise<void>((resolve, reject) => {
    socket.once("close", resolve);
    socket.setTimeout(HANGS_AFTER_MS, () => {
      reject(new Error(`The server hangs: ${describeBytes(bytes)}`));
      socket.destroy();
    });
  });
  socket.write(bytes);
  if (requests === null) socket.end();
  await closed;
  return { replies: splitReplies(Buffer.concat(chunks).toString("latin1")), isCut };
}

function splitReplies(text: string): RawReply[] {
  return text
    .split(/(?=HTTP\/1\.1 \d{3} [A-Z][\w ]*\r\n)/)
    .filter(Boolean)
    .map((one) => {
      const end = one.indexOf("\r\n\r\n");
      const [head, body] = end === -1 ? [one, ""] : [one.slice(0, end), one.slice(end + 4)];
      return { status: Number(head.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length)), head, body };
    });
}

/** Returns descriptions of the faults in the replies. The list is empty if there are no faults. */
export function faultsOf({ bytes, requests }: RawExchange, { replies, isCut }: RawReplies): string[] {
  const finals = replies.filter(({ status }) => status !== 100);
  const faults = finals.flatMap(faultsOfReply);
  const isRefused = finals.some(({ head }) => /^connection: close/im.test(head));
  // A request that is refused before it is fully read closes the connection, and the server ignores the bytes after it.
  const mayBeFewer = isRefused || isCut;
  const isMissing = requests !== null && finals.length !== requests && !(finals.length < requests && mayBeFewer);
  if (isMissing) faults.push(`${String(finals.length)} replies to ${String(requests)} requests`);
  return faults.map((fault) => `${fault}: ${describeBytes(bytes)}`);
}

function faultsOfReply({ status, head, body }: RawReply): string[] {
  const faults = [];
  if (!STATUSES.has(status)) faults.push(`status ${String(status)}`);
  if (!/^x-request-id: req_[0-9a-f]{32}\r?$/im.test(head)) faults.push(`${String(status)} without x-request-id`);
  // A reply to HEAD has no body.
  if (status >= 400 && body !== "" && !isEnvelope(body)) faults.push(`${String(status)} not in the envelope (${body})`);
  return faults;
}

function isEnvelope(body: string): boolean {
  try {
    const { error } = JSON.parse(body) as { error: object };
    return Object.keys(error).join() === "message,type,param,code";
  } catch {
    return false;
  }
}

/** Returns the bytes as text from which they can be sent again. */
function describeBytes(bytes: Buffer): string {
  return `${JSON.stringify(bytes.toString("latin1", 0, 300))}, ${String(bytes.length)} bytes, base64 ${bytes.toString("base64", 0, 4_000)}`;
}
