import { afterEach, expect, test } from "@jest/globals";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { closeUpstreams, open, respond, send, startUpstream, until } from "../test/scripted-upstream.ts";

afterEach(closeUpstreams);

test("sends the line's own bytes", async () => {
  const upstream = await startUpstream(({ socket }) => {
    respond(socket, "{}");
  });
  const line = Buffer.from('{ "b":1,\t"a" : 123456789012345678901234567890, "a":"\\u00e9é", "b":\r{"x":[ ]} }');
  const slice = Buffer.concat([Buffer.from("before"), line, Buffer.from("after")]).subarray(6, 6 + line.length);

  await send(open(upstream.port), { body: slice });

  expect(upstream.received[0]?.body.equals(line)).toBe(true);
});

test("sends the key, the idempotency key and the configured headers, and requests no encoding", async () => {
  const upstream = await startUpstream(({ socket }) => {
    respond(socket, "{}");
  });
  const client = open(upstream.port, { apiKey: "sk-1", headers: { "X-Team": "night", "User-Agent": "ours" } });

  await send(client, { idempotencyKey: "batch-1-2-0" });

  const [line, ...headers] = upstream.received[0]?.head.split("\r\n") ?? [];
  expect(line).toBe("POST /v1/chat/completions HTTP/1.1");
  expect(headers).toEqual(
    expect.arrayContaining([
      "authorization: Bearer sk-1",
      "content-type: application/json",
      "accept-encoding: identity",
      "idempotency-key: batch-1-2-0",
      "x-team: night",
      "user-agent: ours",
      "connection: keep-alive",
    ]),
  );
});

test.each([
  ["/v1", "/v1/embeddings"],
  ["/openai/v1/", "/openai/v1/embeddings"],
  ["", "/embeddings"],
  ["/openai/v1?api-version=preview", "/openai/v1/embeddings?api-version=preview"],
])("sends /v1/embeddings below %j to %s", async (base, path) => {
  const upstream = await startUpstream(({ socket }) => {
    respond(socket, "{}");
  });
  const client = open(upstream.port, { baseUrl: `http://127.0.0.1:${String(upstream.port)}${base}` });

  await send(client, { endpoint: "/v1/embeddings" });

  expect(upstream.received[0]?.head).toMatch(new RegExp(`^POST ${path.replaceAll("?", "\\?")} HTTP`));
});

test("returns the reply's bytes unchanged, with its status and request id", async () => {
  const body = '{"b" : 1,"a":1.10000000000000000001,\n"a":"\\u0041\ud83c\udf19" }\n';
  const upstream = await startUpstream(({ socket }) => {
    respond(socket, body, "HTTP/1.1 418 Teapot\r\nx-request-id: req_7");
  });

  const reply = await send(open(upstream.port));

  expect(reply).toEqual({
    kind: "answer",
    status: 418,
    body: Buffer.from(body),
    requestId: "req_7",
    retryAfterMs: null,
  });
});

test.each([
  ["retry-after: 7", 7_000],
  ["date: Sun, 01 Mar 2026 12:00:00 GMT\r\nretry-after: Sun, 01 Mar 2026 12:00:09 GMT", 9_000],
  ["retry-after-ms: 250", 250],
])("reads the wait of a 429 with %j", async (header, retryAfterMs) => {
  const upstream = await startUpstream(({ socket }) => {
    respond(socket, "{}", `HTTP/1.1 429 Too Many Requests\r\n${header}`);
  });

  expect(await send(open(upstream.port))).toMatchObject({ kind: "answer", status: 429, retryAfterMs });
});

test("returns a redirect as an answer and does not follow it", async () => {
  const upstream = await startUpstream(({ socket }) => {
    respond(socket, "", "HTTP/1.1 302 Found\r\nlocation: /v2");
  });

  expect(await send(open(upstream.port))).toMatchObject({ kind: "answer", status: 302 });
  expect(upstream.received).toHaveLength(1);
});

test("ignores informational replies before the answer", async () => {
  const upstream = await startUpstream(({ socket }) => {
    socket.write("HTTP/1.1 102 Processing\r\nx-request-id: no\r\n\r\n");
    respond(socket, "{}");
  });

  expect(await send(open(upstream.port))).toMatchObject({ kind: "answer", status: 200, requestId: null });
});

test("reuses a connection", async () => {
  const upstream = await startUpstream(({ socket }) => {
    respond(socket, "{}");
  });
  const client = open(upstream.port, { concurrency: 1 });

  await send(client);
  await send(client);
  await send(client);

  expect(upstream.received).toHaveLength(3);
  expect(upstream.sockets.length).toBe(1);
});

test("never exceeds the concurrency: other requests wait for a connection", async () => {
  const upstream = await startUpstream(() => undefined);
  const client = open(upstream.port, { concurrency: 2 });

  const replies = [send(client), send(client), send(client)];
  await until(() => upstream.received.length === 2);
  respond(upstream.received[0]!.socket, "first");
  await until(() => upstream.received.length === 3);
  respond(upstream.received[1]!.socket, "second");
  respond(upstream.received[2]!.socket, "third");

  const bodies = (await Promise.all(replies)).map((reply) => (reply.kind === "answer" ? String(reply.body) : reply));
  expect(bodies.sort()).toEqual(["first", "second", "third"]);
  expect(upstream.sockets.length).toBe(2);
  expect(upstream.received[2]!.socket).toBe(upstream.received[0]!.socket);
});

test("a request to a closed port counts as refused", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");

  expect(await send(open(port))).toEqual({ kind: "refused", message: "the upstream refused the connection" });
});

test.each<[string, (socket: Socket) => void]>([
  ["is closed before the reply", (socket) => socket.end()],
  ["is reset before the reply", (socket) => socket.resetAndDestroy()],
  ["is closed within the headers", (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-le")],
  ["is closed within the body", (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")],
  [
    "is closed within a chunk",
    (socket) => socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf"),
  ],
  [
    "is closed within the body of its last reply",
    (socket) => socket.end("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 10\r\n\r\nhalf"),
  ],
  ["carries bytes that are not HTTP", (socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n")],
])("an exchange counts as broken if its connection %s", async (_, misbehave) => {
  const upstream = await startUpstream(({ socket }) => {
    misbehave(socket);
  });

  expect(await send(open(upstream.port))).toMatchObject({
    kind: "broken",
    message: expect.stringContaining("upstream"),
  });
  expect(upstream.received).toHaveLength(1);
});

test("an exchange counts as broken if its reused connection closes before the reply, and nothing is sent twice", async () => {
  const upstream = await startUpstream(({ socket, nth }) => {
    if (nth === 1) respond(socket, "{}");
    else socket.destroy();
  });
  const client = open(upstream.port);

  await send(client);

  expect(await send(client)).toMatchObject({ kind: "broken" });
  expect(upstream.received).toHaveLength(2);
});

test("an encoded reply counts as broken", async () => {
  const upstream = await startUpstream(({ socket }) => {
    respond(socket, "zipped", "HTTP/1.1 200 OK\r\ncontent-encoding: gzip");
  });

  expect(await send(open(upstream.port))).toMatchObject({ kind: "broken", message: expect.stringContaining("gzip") });
});

test("a reply above the size limit counts as broken, and a reply of exactly that size does not", async () => {
  const upstream = await startUpstream(({ socket, nth }) => {
    respond(socket, "x".repeat(nth === 1 ? 1000 : 1001));
  });
  const client = open(upstream.port, {}, 1000);

  expect(await send(client)).toMatchObject({ kind: "answer" });
  expect(await send(client)).toEqual({ kind: "broken", message: "the upstream's reply is too large" });
});

test("an aborted exchange counts as broken, and its connection closes", async () => {
  const upstream = await startUpstream(() => undefined);
  const abort = new AbortController();
  const reply = send(open(upstream.port), { signal: abort.signal });
  await until(() => upstream.received.length === 1);

  abort.abort();

  expect(await reply).toEqual({ kind: "broken", message: "aborted" });
  await until(() => upstream.sockets[0]!.destroyed);
});

test("a request that is aborted before it is sent is never sent", async () => {
  const upstream = await startUpstream(() => undefined);
  const client = open(upstream.port, { concurrency: 1 });
  const abort = new AbortController();
  const first = send(client);
  const waiting = send(client, { signal: abort.signal, idempotencyKey: "never" });
  await until(() => upstream.received.length === 1);

  abort.abort();
  const late = send(client, { signal: abort.signal, idempotencyKey: "never" });
  respond(upstream.received[0]!.socket, "{}");
  await first;
  const last = send(client, { idempotencyKey: "last" });
  await until(() => upstream.received.length === 2);
  respond(upstream.received[1]!.socket, "{}");

  expect(await Promise.all([waiting, late])).toEqual([
    { kind: "broken", message: "aborted" },
    { kind: "broken", message: "aborted" },
  ]);
  expect(await last).toMatchObject({ kind: "answer" });
  expect(upstream.received[1]!.head).toContain("idempotency-key: last");
});

test("send rejects with an error of onBytes", async () => {
  const upstream = await startUpstream(({ socket }) => {
    respond(socket, "{}");
  });
  const client = open(upstream.port);
  const thrown = new Error("budget");
  const onBytes = (): never => {
    throw thrown;
  };

  await expect(send(client, { onBytes })).rejects.toBe(thrown);
  await expect(send(client, { onBytes: () => Promise.reject(thrown) })).rejects.toBe(thrown);
});

test("closing the client aborts the requests in flight and refuses later ones", async () => {
  const upstream = await startUpstream(() => undefined);
  const client = open(upstream.port, { concurrency: 1 });
  const replies = [send(client), send(client)];
  await until(() => upstream.received.length === 1);

  await client.close();

  const aborted = { kind: "broken", message: "aborted" };
  expect(await Promise.all([...replies, send(client)])).toEqual([aborted, aborted, aborted]);
});
