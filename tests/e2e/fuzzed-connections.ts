/** Generates requests that schemathesis cannot: unusual URLs, headers and bodies, pipelined requests, damaged bytes. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { damaged } from "./damage.ts";
import type { RawExchange } from "./raw-exchange.ts";

/** Objects that exist, so that not every request ends in a 404. */
export interface KnownThings {
  readonly key: string;
  readonly adminKey: string;
  readonly fileId: string;
  readonly batchId: string;
  readonly uploadId: string;
}

const METHODS = ["GET", "POST", "DELETE", "HEAD", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "QUERY"];

const QUERIES = [
  ...[
    "limit=1&limit=2",
    "limit[]=1",
    "limit[$gt]=1",
    "limit=1e309",
    "limit=0x10",
    "limit=%31",
    "limit=",
    "limit",
    "&&&=&=",
  ],
  ...[
    "after=%00",
    "after=%ff%fe",
    "after=%zz",
    "after=%F0%9F%98%80",
    "after[a][b][c]=d",
    "__proto__[x]=1",
    "constructor=1",
  ],
  ...[
    "wait=0&wait=1",
    "wait=-1",
    "wait=99999999999999999999",
    "order=asc%00",
    "purpose=%2e%2e%2f",
    `after=${"x".repeat(9_000)}`,
  ],
];

const SEGMENTS = [
  "%00",
  "%ff",
  "%zz",
  "..",
  "%2e%2e%2f",
  "",
  ".;",
  "a b",
  "%F0%9F%98%80",
  "x".repeat(5_000),
  "%25%30%30",
  "\\",
  "é",
];

const HEADERS = [
  ...[
    "Content-Type: application/json; charset=utf-16",
    "Content-Type: application/json; charset=nonsense",
    "Content-Type: text/xml",
  ],
  ...[
    "Content-Type: multipart/form-data",
    "Content-Type: multipart/form-data; boundary=",
    "Content-Type: multipart/mixed; boundary=x",
  ],
  ...[
    "Content-Type: ;;;",
    "Content-Type: application/json\r\nContent-Type: text/plain",
    `Content-Type: ${"a/".repeat(2_000)}`,
  ],
  ...[
    "Content-Encoding: gzip",
    "Content-Encoding: gzip, gzip",
    "Content-Encoding: nonsense",
    "Content-Encoding: zstd",
    "Content-Encoding: br",
  ],
  ...[
    "Idempotency-Key: ",
    "Idempotency-Key: again",
    `Idempotency-Key: ${"k".repeat(300)}`,
    "Idempotency-Key: \xff\xfe",
  ],
  ...[
    "Idempotency-Key: a\r\nIdempotency-Key: b",
    "Accept: image/png",
    "Accept-Encoding: gzip;q=banana",
    "Range: bytes=5-2",
    "Range: bytes=0-0",
  ],
  ...[
    "Range: bytes=-99999999999999999999",
    "If-None-Match: *",
    "Expect: 100-continue",
    "Expect: miracles",
    "Last-Event-ID: \xff",
    "Last-Event-ID: 7",
  ],
  ...[
    "Upgrade: h2c\r\nConnection: Upgrade",
    "X-Forwarded-For: ' or 1=1",
    "Cookie: a=b; c",
    `Cookie: ${"c=d; ".repeat(1_500)}`,
  ],
  ...[
    "Authorization: Bearer sk-second",
    "X-HTTP-Method-Override: DELETE",
    "OpenAI-Beta: \t",
    `X-Odd: ${"o".repeat(14_000)}`,
    "TE: trailers",
  ],
  Array.from({ length: 400 }, (_, at) => `X-${String(at)}: v`).join("\r\n"),
];

const nested = (open: string, depth: number): string => open.repeat(depth);

function bodies({ fileId }: KnownThings): Buffer[] {
  const batch = { input_file_id: fileId, endpoint: "/v1/chat/completions", completion_window: "24h" };
  const texts = [
    ...[
      "",
      "{}",
      "[]",
      "null",
      "1",
      '"x"',
      "{",
      "{}{}",
      "\ufeff{}",
      "nonsense",
      '{"metadata":{"__proto__":"x"}}',
      '{"__proto__":{"a":1}}',
    ],
    ...[
      nested("[", 100_000),
      nested('{"a":', 50_000),
      `{"metadata":${nested("[", 5_000)}`,
      `{"bytes":1e999,"metadata":-0}`,
    ],
    ...[
      `{"metadata":{"k":"\\ud800"}}`,
      `{"metadata":{"\\u0000":"\\u0000"}}`,
      " ".repeat(1_100_000),
      `{"a":"${"x".repeat(999_000)}"}`,
    ],
    ...[
      JSON.stringify(batch),
      JSON.stringify({ ...batch, metadata: { "\0": "\0" } }),
      JSON.stringify({ ...batch, endpoint: fileId }),
    ],
    ...[`{"line_ids":["${"y".repeat(600)}"]}`, `{"custom_ids":[${'"z",'.repeat(5_000)}"z"]}`],
  ];
  return [
    ...texts.map((text) => Buffer.from(text)),
    Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]),
    gzipSync("{}"),
    gzipSync(" ".repeat(2_000_000)),
    gzipSync("{}").subarray(0, 12),
  ];
}

function paths({ fileId, batchId, uploadId }: KnownThings): string[] {
  const [file, batch, upload] = [`/v1/files/${fileId}`, `/v1/batches/${batchId}`, `/v1/uploads/${uploadId}`];
  return [
    ...[
      "/v1/files",
      "/v1/batches",
      "/v1/uploads",
      file,
      `${file}/content`,
      batch,
      `${batch}/results`,
      `${batch}/events`,
    ],
    ...[
      `${batch}/cancel`,
      `${batch}/retry`,
      `${upload}/parts`,
      `${upload}/complete`,
      "/admin/v1/keys",
      "/admin/v1/webhooks",
    ],
    ...[
      "/admin/v1/tenants/default",
      "/admin/queues/",
      "/healthz",
      "/readyz",
      "/openapi.yaml",
      "/docs",
      "/v1/nowhere",
      "/",
      "//v1//files",
    ],
  ];
}

/** One request without its framing. */
interface OddRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
  readonly isChunked: boolean;
  readonly version: string;
}

function oddRequest(known: KnownThings): fc.Arbitrary<OddRequest> {
  const segment = fc.option(fc.constantFrom(...SEGMENTS), { freq: 2 });
  const query = fc.option(fc.oneof(fc.constantFrom(...QUERIES), fc.webQueryParameters()), { freq: 1 });
  const authorization = fc.oneof(
    { weight: 8, arbitrary: fc.constant(`Authorization: Bearer ${known.key}`) },
    { weight: 3, arbitrary: fc.constant(`Authorization: Bearer ${known.adminKey}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "Authorization: Basic eDp5",
        "Authorization: Bearer \xe9\xff",
        `Authorization: Bearer ${"k".repeat(8_000)}`,
      ),
    },
  );
  return fc
    .record({
      method: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom("GET", "POST") },
        { weight: 1, arbitrary: fc.constantFrom(...METHODS) },
      ),
      path: fc.constantFrom(...paths(known)),
      segment,
      query,
      isAbsolute: fc.integer({ min: 0, max: 9 }).map((digit) => digit === 0),
      authorization,
      headers: fc.array(fc.constantFrom(...HEADERS), { maxLength: 3 }),
      body: fc.constantFrom(...bodies(known)),
      isChunked: fc.boolean(),
      version: fc.constantFrom("1.1", "1.1", "1.1", "1.0"),
    })
    .map(({ path, segment: last, query: asked, isAbsolute, authorization: key, headers, ...request }) => ({
      ...request,
      target: `${isAbsolute ? "http://elsewhere.example" : ""}${path}${last === null ? "" : `/${last}`}${asked === null ? "" : `?${asked}`}`,
      headers: [key, ...headers],
    }));
}

/**
 * Returns the bytes of the request. The last request of a connection asks the server to close it. HTTP/1.0 does not
 * have chunks.
 */
function print({ method, target, headers, body, isChunked, version }: OddRequest, isLast: boolean): Buffer {
  const hasChunks = isChunked && version === "1.1";
  const isBodiless = method === "GET" || method === "HEAD";
  const framing = hasChunks ? "Transfer-Encoding: chunked" : `Content-Length: ${String(body.length)}`;
  const lines = [
    `${method} ${target} HTTP/${version}`,
    "Host: x",
    ...headers,
    ...(isBodiless ? [] : [framing]),
    `Connection: ${isLast ? "close" : "keep-alive"}`,
  ];
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (isBodiless) return head;
  return Buffer.concat([head, ...(hasChunks ? chunks(body) : [body])]);
}

function chunks(body: Buffer): Buffer[] {
  const half = Math.ceil(body.length / 2);
  const pieces = [body.subarray(0, half), body.subarray(half)].filter(({ length }) => length > 0);
  return [
    ...pieces.flatMap((piece) => [Buffer.from(`${piece.length.toString(16)};a=b\r\n`), piece, Buffer.from("\r\n")]),
    Buffer.from("0\r\nX-Trailer: t\r\n\r\n"),
  ];
}

/**
 * Returns `count` connections of one to four requests. Every third connection is damaged. The result is the same for
 * the same seed and the same known things.
 */
export function fuzzedConnections(count: number, seed: number, known: KnownThings): RawExchange[] {
  const connection = fc
    .record({
      requests: fc.array(oddRequest(known), { minLength: 1, maxLength: 4 }),
      damage: fc.option(damaged, { freq: 1 }),
    })
    .map(({ requests, damage }): RawExchange => {
      const bytes = Buffer.concat(requests.map((request, at) => print(request, at === requests.length - 1)));
      return damage === null ? { bytes, requests: requests.length } : { bytes: damage(bytes), requests: null };
    });
  return fc.sample(connection, { numRuns: count, seed });
}
