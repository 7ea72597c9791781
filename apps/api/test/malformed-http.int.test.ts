/** Bytes that are no request, sent by hand: they are answered like any other refusal. */
import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, test } from "@jest/globals";
import { useApi } from "./api-under-test.ts";

const api = useApi();

/** What the server answers to these bytes until it closes the connection. */
async function answerTo(bytes: string): Promise<{ head: string; body: string }> {
  const socket = connect(Number(new URL(api.url()).port), "127.0.0.1");
  await once(socket, "connect");
  socket.write(bytes);
  const [head = "", body = ""] = (await text(socket)).split("\r\n\r\n", 2);
  return { head, body };
}

test.each([
  ["no HTTP", "hello\r\n\r\n", 400, "it is not HTTP/1.1"],
  ["a method that there is none of", "FETCH /v1/files HTTP/1.1\r\nHost: x\r\n\r\n", 400, "it is not HTTP/1.1"],
  ["headers of over 16 KiB", `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 431, "too large"],
  ["a URL of over 16 KiB", `GET /${"x".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431, "too large"],
  [
    "two lengths of the body",
    "POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
    "it is not HTTP/1.1",
  ],
])("%s gets the envelope, an id, and a closed connection", async (_what, bytes, status, message) => {
  const { head, body } = await answerTo(bytes);

  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} [A-Z]`));
  expect(head).toMatch(/^x-request-id: req_[0-9a-f]{32}\r?$/m);
  expect(head).toContain(`content-length: ${String(Buffer.byteLength(body))}`);
  expect(JSON.parse(body)).toEqual({
    error: { message: expect.stringContaining(message), type: "invalid_request_error", param: null, code: null },
  });
});

test("a good request with nonsense right behind it gets one answer, never two in one", async () => {
  const { head, body } = await answerTo("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n");

  expect(head).toMatch(/^HTTP\/1\.1 [24]00 /);
  expect(body.match(/HTTP\/1\.1/g)).toBeNull();
});
