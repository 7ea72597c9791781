/**
 * The upstream of the benchmarks: answers any POST with the same bytes, at once or after a while. Not the simulator, and not
 * even node:http, which costs 40 µs a request and would be what limits: this takes a tenth of that.
 */
import { createServer, type Socket } from "node:net";
import { parseArgs } from "node:util";
import { replyOf, type ReplyKind } from "./upstream-replies.ts";

const { values } = parseArgs({
  options: {
    reply: { type: "string", default: "chat" },
    "latency-ms": { type: "string", default: "0" },
    // Of the logarithm of the latency; 0 is the same latency for all.
    sigma: { type: "string", default: "0" },
  },
});
const latencyMs = Number(values["latency-ms"]);
const sigma = Number(values.sigma);
const reply = replyOf(values.reply as ReplyKind);

const HEAD_END = Buffer.from("\r\n\r\n");
const seen = { requests: 0, firstAt: 0, lastAt: 0 };

/** Log-normal with the median `latencyMs`. The n-th request has the same latency in every run: both sides see the same upstream. */
function latencyOf(n: number): number {
  if (sigma === 0) return latencyMs;
  const [u, v] = [pseudoRandom(2 * n + 1), pseudoRandom(2 * n + 2)];
  return latencyMs * Math.exp(sigma * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v));
}

/** Between 0 and 1, both exclusive: the finalizer of splitmix32 on `n`. */
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
  socket.on("error", () => undefined); // clients that are killed
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
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  process.send?.({ type: "listening", url: `http://127.0.0.1:${String(address.port)}` });
});
process.once("disconnect", () => process.exit());
process.once("SIGTERM", () => process.exit());
