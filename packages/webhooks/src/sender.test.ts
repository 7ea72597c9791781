/** Sending: the request, the acknowledgement, and defenses against hostile receivers. */
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "@jest/globals";
import type { Resolve } from "./guarded-lookup.ts";
import { createWebhookSender, type SendOutcome, type WebhookSenderOptions } from "./sender.ts";

const SECRET = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;
const NOW = new Date("2026-08-19T12:00:00Z");
const BODY = '{"type":"batch.completed","data":{"id":"batch_ü"}}';
const servers: Server[] = [];

/** Starts a receiver on loopback, and resolves with its port and the requests that it receives. */
async function receiver(
  answer: RequestListener,
): Promise<{ port: number; seen: (IncomingMessage & { text?: string })[] }> {
  const seen: (IncomingMessage & { text?: string })[] = [];
  const server = createServer((request: IncomingMessage & { text?: string }, response) => {
    seen.push(request);
    request.text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (request.text = `${request.text ?? ""}${chunk}`));
    request.on("end", () => {
      answer(request, response);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, seen };
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

function send(url: string, options: Partial<WebhookSenderOptions> = {}, signal = new AbortController().signal) {
  const sender = createWebhookSender({ allowPrivate: true, ...options });
  return sender.send({ url, secret: SECRET, id: "wh_1", body: BODY }, NOW, signal);
}

test("sends the body's bytes and the three headers", async () => {
  const { port, seen } = await receiver((_request, response) => response.end("thanks"));

  const outcome = await send(`http://127.0.0.1:${String(port)}/hook?a=b`);

  expect(outcome).toEqual({ isAcknowledged: true, status: 200, error: null });
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ method: "POST", url: "/hook?a=b", text: BODY });
  expect(seen[0]?.headers).toMatchObject({
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(BODY)),
    "webhook-id": "wh_1",
    "webhook-timestamp": String(NOW.getTime() / 1_000),
    "webhook-signature": expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
  });
});

test.each([200, 201, 202, 204, 299])("a reply with status %d acknowledges the event", async (status) => {
  const { port } = await receiver((_request, response) => response.writeHead(status).end());

  expect(await send(`http://127.0.0.1:${String(port)}/`)).toEqual({ isAcknowledged: true, status, error: null });
});

test.each([304, 400, 404, 410, 429, 500, 503])(
  "a reply with status %d does not acknowledge the event",
  async (status) => {
    const { port } = await receiver((_request, response) => response.writeHead(status).end());

    const outcome = await send(`http://127.0.0.1:${String(port)}/`);

    expect(outcome).toMatchObject({ isAcknowledged: false, status });
  },
);

test("a redirect is a failure and is not followed", async () => {
  const there = await receiver((_request, response) => response.end());
  const location = `http://127.0.0.1:${String(there.port)}/`;
  const { port } = await receiver((_request, response) => response.writeHead(307, { location }).end());

  const outcome = await send(`http://127.0.0.1:${String(port)}/`);

  expect(outcome).toMatchObject({ status: 307, error: "answered 307, and redirects are not followed" });
  expect(there.seen).toEqual([]);
});

test("cuts an endless reply, and uses its status", async () => {
  let isCut = false;
  const { port } = await receiver((_request, response) => {
    const chunk = Buffer.alloc(64 * 1_024);
    const more = (): void => {
      while (!isCut && response.write(chunk));
    };
    response.on("drain", more);
    response.on("close", () => (isCut = true));
    more();
  });

  expect(await send(`http://127.0.0.1:${String(port)}/`)).toMatchObject({ isAcknowledged: true, status: 200 });
});

test("an attempt fails if the receiver does not reply in time", async () => {
  const { port } = await receiver(() => undefined);

  const outcome = await send(`http://127.0.0.1:${String(port)}/`, { timeoutMs: 50 });

  expect(outcome).toEqual({ isAcknowledged: false, status: null, error: "no answer within 0.05 s" });
});

test("uses the status of a reply whose body does not end in time", async () => {
  const { port } = await receiver((_request, response) => response.writeHead(200).write("so slow"));

  const outcome = await send(`http://127.0.0.1:${String(port)}/`, { timeoutMs: 1_000 });

  expect(outcome).toEqual({ isAcknowledged: true, status: 200, error: null });
});

test("reports the reason if a receiver does not speak HTTP, is unreachable, or hangs up", async () => {
  const { port } = await receiver((request) => request.socket.end("hello\r\n\r\n"));
  const silent = await receiver((request) => request.socket.destroy());
  const failed = (error: unknown): unknown => expect.objectContaining({ isAcknowledged: false, status: null, error });

  expect(await send(`http://127.0.0.1:${String(port)}/`)).toEqual(failed(expect.stringContaining("Parse Error")));
  expect(await send(`http://127.0.0.1:${String(silent.port)}/`)).toEqual(failed("socket hang up"));
  expect(await send("http://127.0.0.1:1/")).toEqual(failed(expect.stringContaining("ECONNREFUSED")));
  expect(await send("http://nowhere.invalid/")).toEqual(failed(expect.stringMatching(/ENOTFOUND|EAI_AGAIN/)));
});

test("rejects when the signal aborts", async () => {
  const ending = new AbortController();
  const { port } = await receiver(() => {
    ending.abort(new Error("the worker stops"));
  });

  await expect(send(`http://127.0.0.1:${String(port)}/`, {}, ending.signal)).rejects.toThrow("the worker stops");
});

describe("private addresses", () => {
  const expectRefused = (outcome: SendOutcome): void => {
    expect(outcome).toMatchObject({ isAcknowledged: false, status: null });
    expect(outcome.error).toMatch(/private network, which webhooks must not reach/);
  };

  test("does not connect to a host name that resolves to this machine", async () => {
    const { port, seen } = await receiver((_request, response) => response.end());
    const resolve: Resolve = async () => [{ address: "127.0.0.1", family: 4 }];

    expectRefused(await send(`http://hooks.example.com:${String(port)}/`, { allowPrivate: false, resolve }));
    expectRefused(await send(`http://localhost:${String(port)}/`, { allowPrivate: false }));
    expect(seen).toEqual([]);
  });

  test("does not connect to a literal private address", async () => {
    const { port, seen } = await receiver((_request, response) => response.end());

    for (const host of ["127.0.0.1", "[::ffff:127.0.0.1]", "2130706433"]) {
      expectRefused(await send(`http://${host}:${String(port)}/`, { allowPrivate: false }));
    }
    expect(seen).toEqual([]);
  });

  test("looks a name up only once for each attempt, so DNS rebinding has no effect", async () => {
    const { port, seen } = await receiver((_request, response) => response.end());
    let lookups = 0;
    const resolve: Resolve = async () => [{ address: lookups++ === 0 ? "127.0.0.1" : "203.0.113.7", family: 4 }];

    const outcome = await send(`http://rebind.example.com:${String(port)}/`, { allowPrivate: false, resolve });

    expectRefused(outcome);
    expect(outcome.error).toContain("127.0.0.1");
    expect(lookups).toBe(1);
    expect(seen).toEqual([]);
  });
});
