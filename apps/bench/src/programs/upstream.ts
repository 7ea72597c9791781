/**
 * The upstream of the benchmarks: replies to every POST with the same bytes, at once or after a delay. It does not use
 * node:http, which costs 40 µs per request and would limit the throughput. This server costs a tenth of that.
 */
import { createServer, type Socket } from "node:net";
import { parseArgs } from "node:util";

export type ReplyKind = "chat" | "embedding";

const { values } = parseArgs({
  options: {
    reply: { type: "string", default: "chat" },
    "latency-ms": { type: "string", default: "0" },
    // The sigma of a log-normal latency. With 0 every reply has the same latency.
    sigma: { type: "string", default: "0" },
  },
});
const latencyMs = Number(values["latency-ms"]);
const sigma = Number(values.sigma);

/** The length of an embedding of `text-embedding-3-small` and its predecessors. */
const EMBEDDING_NUMBERS = 1_536;

const reply = formatReply(values.reply as ReplyKind);
const HEAD_END = Buffer.from("\r\n\r\n");
const seen = { requests: 0, firstAt: 0, lastAt: 0 };

/** Makes the whole HTTP response, headers and body, once for all requests. */
function formatReply(kind: ReplyKind): Buffer {
  const body = JSON.stringify(kind === "chat" ? chatCompletion() : embedding());
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_benchmark\r\n` +
      `content-length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
  );
}

function chatCompletion(): unknown {
  return {
    id: "chatcmpl-benchmark",
    object: "chat.completion",
    created: 1_735_689_600,
    model: "benchmark",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "An answer of the usual length for a label." },
        finish_reason: "stop",
      },
    ],
    usage: { prompt_tokens: 21, completion_tokens: 9, total_tokens: 30 },
  };
}

/** The numbers have as many digits as OpenAI's numbers, so the reply has 33 KB. */
function embedding(): unknown {
  const numbers = Array.from({ length: EMBEDDING_NUMBERS }, (_, i) => Math.sin(i + 1) / 40);
  return {
    object: "list",
    data: [{ object: "embedding", index: 0, embedding: numbers }],
    model: "benchmark",
    usage: { prompt_tokens: 8, total_tokens: 8 },
  };
}

/**
 * Returns a log-normal latency with the median `latencyMs`. The n-th request has the same latency in every run, so that
 * the baseline and Nightshift see the same upstream.
 */
function latencyOf(n: number): number {
  if (sigma === 0) return latencyMs;
  const [u, v] = [pseudoRandom(2 * n + 1), pseudoRandom(2 * n + 2)];
  return latencyMs * Math.exp(sigma * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v));
}

/** Returns a number between 0 and 1, both exclusive: the finalizer of splitmix32 applied to `n`. */
function pseudoRandom(n: number): number {
  let x = Math.imul(n, 0x9e3779b9) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97) >>> 0;
  return (((x ^ (x >>> 15)) >>> 0) + 0.5) / 2 ** 32;
}

function answer(socket: Socket, head: string): void {
  if (head.startsWith("GET /stats")) {
    const body = JSON.stringify(seen);
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${String(body.length)}\r\n\r\n${body}`,
    );
    return;
  }
  if (head.startsWith("GET /reset")) {
    Object.assign(seen, { requests: 0, firstAt: 0, lastAt: 0 });
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    return;
  }
  seen.requests += 1;
  if (seen.requests === 1) seen.firstAt = Date.now();
  const send = (): void => {
    if (socket.destroyed) return;
    socket.write(reply);
    seen.lastAt = Date.now();
  };
  if (latencyMs === 0) send();
  else setTimeout(send, latencyOf(seen.requests));
}

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on("error", () => undefined); // A client that was killed resets its connection.
  let pending: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (;;) {
      const headEnd = pending.indexOf(HEAD_END);
      if (headEnd < 0) return;
      const head = pending.toString("latin1", 0, headEnd);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      const end = headEnd + HEAD_END.length + length;
      if (pending.length < end) return;
      pending = pending.subarray(end);
      answer(socket, head);
    }
  });
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("unreachable: a TCP server has a port");
  process.send?.({ type: "listening", url: `http://127.0.0.1:${String(address.port)}` });
});
process.once("disconnect", () => process.exit());
process.once("SIGTERM", () => process.exit());
