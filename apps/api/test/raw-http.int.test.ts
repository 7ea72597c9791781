/**
 * Malformed and unusual HTTP requests on raw sockets: replies use the error envelope and keep the order of requests.
 */
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "@jest/globals";
import { useApi } from "./api-under-test.ts";

const api = useApi();

interface RawReply {
  readonly status: number;
  readonly headers: string;
  readonly message: string;
}

function open(): Socket {
  return connect(Number(new URL(api.url()).port), "127.0.0.1");
}

/** Sends bytes and returns all replies until the server closes the connection. */
async function exchange(sent: string): Promise<RawReply[]> {
  const socket = open();
  socket.write(sent, "latin1");
  const received = await text(socket);
  return received.split(/(?=HTTP\/1\.1 \d{3} )/).map((one) => {
    const [head = "", body = ""] = one.split("\r\n\r\n");
    const envelope = /^\{/.test(body) ? (JSON.parse(body) as { error?: { message: string } }) : {};
    return { status: Number(head.slice(9, 12)), headers: head, message: envelope.error?.message ?? "" };
  });
}

const get = (path: string, more = ""): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${api.authorization("one")}\r\n${more}\r\n`;
const CLOSE = "Connection: close\r\n";
const post = (more: string): string =>
  `POST /v1/batches HTTP/1.1\r\nHost: x\r\nAuthorization: ${api.authorization("one")}\r\n${more}\r\n\r\n`;

describe("malformed HTTP", () => {
  test.each<[string, () => string, number, RegExp]>([
    ["text that is not HTTP", () => "hello\r\n\r\n", 400, /^We could not read your request as HTTP\/1\.1: /],
    ["a TLS handshake", () => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, /as HTTP\/1\.1: /],
    ["an HTTP/2 preface", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, /as HTTP\/1\.1: /],
    ["an unknown method", () => "FETCH /v1/files HTTP/1.1\r\nHost: x\r\n\r\n", 400, /Invalid method/],
    ["a missing Host header", () => "GET /v1/files HTTP/1.1\r\n\r\n", 400, /its Host header is missing/],
    ["a NUL in a header", () => get("/v1/files", "X-Odd: a\0b\r\n"), 400, /header value/],
    [
      "two different Content-Length headers",
      () => post("Content-Length: 2\r\nContent-Length: 3"),
      400,
      /Content-Length/,
    ],
    [
      "both Content-Length and chunks",
      () => post("Content-Length: 2\r\nTransfer-Encoding: chunked"),
      400,
      /Content-Length|Transfer/,
    ],
    ["invalid chunks", () => `${post("Transfer-Encoding: chunked")}zz\r\n{}\r\n`, 400, /chunk size/],
    ["CONNECT", () => "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", 400, /CONNECT is for proxies/],
    ["a URL of 20 KB", () => get(`/v1/files?after=${"x".repeat(20_000)}`), 431, /at most 16384 bytes/],
    ["headers of 20 KB", () => get("/v1/files", `X-Long: ${"x".repeat(20_000)}\r\n`), 431, /at most 16384 bytes/],
  ])("gets an error with a request id: %s", async (_what, sent, status, message) => {
    const replies = await exchange(sent());

    expect(replies).toEqual([
      {
        status,
        headers: expect.stringMatching(/^x-request-id: req_[0-9a-f]{32}\r$/m),
        message: expect.stringMatching(message),
      },
    ]);
    expect(replies[0]?.headers).toMatch(/^content-type: application\/json; charset=utf-8\r$/m);
    expect(replies[0]?.headers).toMatch(/^connection: close/im);
  });
});

describe("an unusual but valid request", () => {
  test.each<[string, () => string, number]>([
    ["HTTP/1.0 without a Host", () => `GET /healthz HTTP/1.0\r\n\r\n`, 200],
    ["an unknown expectation", () => get("/v1/files", `Expect: miracles\r\n${CLOSE}`), 200],
    ["a request to upgrade", () => get("/v1/files", "Connection: Upgrade, close\r\nUpgrade: h2c\r\n"), 200],
    ["an absolute URL", () => get("http://elsewhere.example/v1/files", CLOSE), 200],
    ["%-escapes that are not UTF-8", () => get("/v1/files/%ff%fe", CLOSE), 404],
    ["invalid %-escapes", () => get("/v1/files/%zz", CLOSE), 404],
    ["an id with a NUL", () => get("/v1/batches/batch_%00", CLOSE), 404],
    ["an asterisk", () => "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404],
    ["a query key twice", () => get("/v1/files?limit=1&limit=2", CLOSE), 400],
  ])("is handled as a request: %s", async (_what, sent, status) => {
    expect((await exchange(sent())).map((reply) => reply.status)).toEqual([status]);
  });
});

describe("pipelined requests", () => {
  test("are answered in order", async () => {
    const replies = await exchange(get("/v1/files") + get("/v1/nowhere") + get("/v1/batches", CLOSE));

    expect(replies.map(({ status }) => status)).toEqual([200, 404, 200]);
  });

  test("after a request to upgrade are dropped, and the connection is closed", async () => {
    const upgrade = get("/v1/files", "Connection: Upgrade\r\nUpgrade: h2c\r\n");
    const replies = await exchange(upgrade + get("/v1/batches"));

    expect(replies.map(({ status }) => status)).toEqual([200]);
    expect(replies[0]?.headers).toMatch(/^connection: close\r?$/im);
  });

  test("can end with a malformed one, which gets its reply last", async () => {
    const replies = await exchange(`${get("/v1/files")}hello\r\n\r\n`);

    expect(replies.map(({ status }) => status)).toEqual([200, 400]);
  });
});

test("closes the connection if the client ends it in the middle of a request", async () => {
  const socket = open();
  socket.end(post("Content-Length: 100"));

  expect(await text(socket)).toMatch(/^(HTTP\/1\.1 400 |$)/);
});

describe("forms", () => {
  test.each(["a b", "'()+_,-./:=?", "\xff"])(
    "refuses the unquoted boundary %j, and names the header",
    async (boundary) => {
      const body = JSON.stringify({
        filename: "in.jsonl",
        purpose: "batch",
        bytes: 100,
        mime_type: "application/jsonl",
      });
      const { id } = (await (await api.fetch("/v1/uploads", { method: "POST", body })).json()) as { id: string };
      const form = `--${boundary}\r\nContent-Disposition: form-data; name="data"; filename="d"\r\n\r\nx\r\n--${boundary}--\r\n`;
      const send = (path: string): Promise<RawReply[]> =>
        exchange(
          `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${api.authorization("one")}\r\nContent-Length: ${String(form.length)}\r\n` +
            `Content-Type: multipart/form-data; boundary=${boundary}\r\n${CLOSE}\r\n${form}`,
        );

      for (const path of [`/v1/uploads/${id}/parts`, "/v1/files"]) {
        expect(await send(path)).toMatchObject([{ status: 400, message: expect.stringMatching(/Content-Type/) }]);
      }
    },
  );
});
