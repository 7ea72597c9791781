import { expect, jest, test } from "@jest/globals";
import { once } from "node:events";
import { get, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { listen, PortTakenError } from "./listen.ts";
import { StartupError } from "./startup-error.ts";

/**
 * More than the kernel buffers for a client that does not read, but less than it accepts from Node on the server's
 * side.
 */
const REPLY_BYTES = 1_000_000;

const LOOPBACK = { host: "127.0.0.1", port: 0 };

test("port 0 selects a free port, and the URL names it", async () => {
  const server = await listen((_request, response) => response.end("here"), LOOPBACK);

  const reply = await fetch(server.url);

  expect(await reply.text()).toBe("here");
  expect(server.url).toBe(`http://127.0.0.1:${String(server.port)}`);
  await server.close(0);
});

test("the URL of a server on all addresses is usable by a client", async () => {
  const server = await listen((_request, response) => response.end("here"), { host: "0.0.0.0", port: 0 });

  expect(server.url).toBe(`http://127.0.0.1:${String(server.port)}`);
  await server.close(0);
});

test("rejects with a message that names the port if another server has it", async () => {
  const first = await listen((_request, response) => response.end(), LOOPBACK);

  const second = listen((_request, response) => response.end(), { host: "127.0.0.1", port: first.port });

  await expect(second).rejects.toThrow(PortTakenError);
  await expect(second).rejects.toThrow(`Port ${String(first.port)} on 127.0.0.1 is taken`);
  await first.close(0);
});

test("rejects with StartupError for an address of another machine", async () => {
  const refused = listen((_request, response) => response.end(), { host: "203.0.113.1", port: 0 });

  await expect(refused).rejects.toThrow(StartupError);
});

test("closing refuses new connections, lets a running request end, then closes its connection", async () => {
  const running: ServerResponse[] = [];
  const server = await listen((_request, response) => running.push(response), LOOPBACK);
  const request = get(server.url, { agent: false, headers: { connection: "keep-alive" } });
  const replied = once(request, "response") as Promise<[IncomingMessage]>;
  await once(request, "socket");
  await eventually(() => running.length === 1);

  const closed = server.close(60_000);
  const refused = fetch(server.url);
  await expect(refused).rejects.toThrow();
  running[0]?.end("to the end");
  const [response] = await replied;

  expect(await text(response)).toBe("to the end");
  expect(response.headers.connection).toBe("close");
  await closed;
});

test("closing cuts requests that do not end within the grace period", async () => {
  const server = await listen(() => undefined, LOOPBACK);
  const socket = connect(server.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const cut = once(socket, "close");
  await once(socket, "connect");

  await server.close(50);

  await cut;
  expect(socket.destroyed).toBe(true);
});

test("closing does not wait for an idle keep-alive connection", async () => {
  const server = await listen((_request, response) => response.end("here"), LOOPBACK);
  const socket = connect(server.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(socket, "data");

  await server.close(60_000);

  await once(socket, "close");
  expect(socket.destroyed).toBe(true);
});

test("a reply arrives completely when its unread request asks to close the connection", async () => {
  const server = await listen((_request, response) => response.end("x".repeat(REPLY_BYTES)), LOOPBACK);
  const socket = connect(server.port, "127.0.0.1");
  const head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5000000\r\n\r\n";
  const sent = new Promise((resolve) => socket.write(head + "y".repeat(5_000_000), resolve));
  // Starts to read only after the server accepted or refused all bytes.
  await sent;

  expect((await text(socket)).length).toBeGreaterThan(REPLY_BYTES);
  await server.close(0);
});

test("cuts a client that does not stop sending after 5 s", async () => {
  const server = await listen((_request, response) => response.end(), LOOPBACK);
  const socket = connect(server.port, "127.0.0.1");
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5000000\r\n\r\n");
  const timers = jest.spyOn(globalThis, "setTimeout");
  socket.resume();
  await once(socket, "end");

  const linger = timers.mock.calls.find(([, ms]) => ms === 5_000)?.[0];
  timers.mockRestore();
  expect(linger).toBeDefined();
  linger?.();
  await server.close(60_000);
});

test.each([
  ["CONNECT", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["an upgrade", "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"],
  ["a malformed request", "hello\r\n\r\n"],
  ["a request without a Host header", "GET / HTTP/1.1\r\n\r\n"],
  ["an unknown expectation", "GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n"],
])("keeps serving after a client sends %s and resets the connection", async (_what, sent) => {
  const fault = { status: 400, reasonPhrase: "Bad Request", headers: {}, body: "refused" };
  const server = await listen((_request, response) => response.end("here"), { ...LOOPBACK, answerFault: () => fault });
  for (let n = 0; n < 20; n += 1) {
    const socket = connect(server.port, "127.0.0.1");
    await once(socket, "connect");
    // The reset reaches the kernel before the server reads the request, so the server answers a dead connection.
    socket.write(sent);
    socket.resetAndDestroy();
    await once(socket, "close");
  }

  expect(await (await fetch(server.url, { headers: { connection: "close" } })).text()).toBe("here");
  await server.close(60_000);
});

async function eventually(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
