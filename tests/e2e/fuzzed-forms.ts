/** Generates multipart forms that no library writes, plain and compressed, for POST /v1/files and for upload parts. */
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { rawFrame } from "../../apps/api/test/zstd-frames.ts";
import { damaged } from "./damage.ts";
import type { KnownThings } from "./fuzzed-connections.ts";
import type { RawExchange } from "./raw-exchange.ts";

const LINE = `{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"text"}}\n`;

const NAMES = [
  ...["purpose", "purpose", "file", "file", "data", "expires_after[anchor]", "expires_after[seconds]", "expires_after"],
  ...[
    "expires_after[",
    "expires_after[]",
    "expires_after[anchor][]",
    "expires_after[a][b][c][d]",
    "expires_after]seconds[",
  ],
  ...[
    "expires_after.seconds",
    "expires_after[__proto__]",
    "__proto__",
    "__proto__[x]",
    "constructor[prototype][x]",
    "purpose[]",
    "",
  ],
  ...["n".repeat(90), "n".repeat(5_000), "\0", "é", "%5B%5D", '\\"'],
];

const VALUES = [
  ...[
    "batch",
    "batch",
    "user_data",
    "assistants",
    "created_at",
    "3600",
    "3600.5",
    " 3600 ",
    "0x10",
    "1e400",
    "-1",
    "99999999999999999999",
    "NaN",
  ],
  ...["", "null", "\0", "\ufeffbatch", "BATCH", "v".repeat(2_000), LINE],
];

const FILENAMES = [
  ...[
    "in.jsonl",
    "in.jsonl",
    "in.jsonl.gz",
    "in.jsonl.zst",
    "in.csv",
    "",
    "\0.jsonl",
    "../../etc/passwd.jsonl",
    "é🙂.jsonl",
    "a".repeat(3_000),
  ],
  ...["in.jsonl.gz.gz", ".jsonl", "in.jsonl\\", "C:\\in.jsonl", "%00.jsonl", "in.JSONL"],
];

const PART_HEADERS = [
  ...[
    "Content-Type: application/jsonl",
    "Content-Type: application/octet-stream",
    "Content-Type: ;",
    "Content-Transfer-Encoding: base64",
  ],
  ...[
    "Content-Type: text/plain; charset=utf-16",
    `X-Long: ${"l".repeat(9_000)}`,
    "Content-Length: 3",
    "no colon",
    "Content-Encoding: gzip",
  ],
];

const CONTENTS: readonly Buffer[] = [
  ...["", LINE, LINE.repeat(50), "no json\n", "\n\n", "{}", "\ufeff{}\n", " ".repeat(100_000)].map((text) =>
    Buffer.from(text),
  ),
  gzipSync(LINE.repeat(20)),
  gzipSync(LINE.repeat(20)).subarray(0, 30),
  rawFrame(Buffer.from(LINE.repeat(20))),
  rawFrame(Buffer.from(LINE.repeat(20))).subarray(0, 30),
];

const quoted = (text: string): string => `"${text.replaceAll('"', "%22")}"`;

/** One part of a form. The boundary before it is added when the form is put together. */
const part = fc
  .record({
    name: fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom("purpose", "file") },
      { weight: 2, arbitrary: fc.constantFrom(...NAMES) },
    ),
    filename: fc.option(fc.constantFrom(...FILENAMES), { freq: 1 }),
    headers: fc.array(fc.constantFrom(...PART_HEADERS), { maxLength: 2 }),
    value: fc.constantFrom(...VALUES),
    content: fc.constantFrom(...CONTENTS),
    hasDisposition: fc.integer({ min: 0, max: 19 }).map((digit) => digit > 0),
  })
  .map(({ name, filename, headers, value, content, hasDisposition }) => {
    // A part named `file` or `data` always has a file name.
    const file = filename ?? (name === "file" || name === "data" ? "in.jsonl" : null);
    const disposition = `Content-Disposition: form-data; name=${quoted(name)}${file === null ? "" : `; filename=${quoted(file)}`}`;
    const head = [...(hasDisposition ? [disposition] : []), ...headers].join("\r\n");
    return Buffer.concat([
      Buffer.from(`\r\n${head}\r\n\r\n`),
      file === null ? Buffer.from(value) : content,
      Buffer.from("\r\n"),
    ]);
  });

const BOUNDARIES = [
  "----b",
  "----b",
  "----b",
  "----b",
  "x".repeat(70),
  "x".repeat(300),
  "'()+_,-./:=?",
  "a b",
  "--",
  "\xff",
];

const form = fc
  .record({
    boundary: fc.constantFrom(...BOUNDARIES),
    isQuoted: fc.boolean(),
    parts: fc.oneof(
      { weight: 9, arbitrary: fc.array(part, { maxLength: 5 }) },
      { weight: 1, arbitrary: fc.array(part, { minLength: 12, maxLength: 40 }) },
    ),
    end: fc.constantFrom("--\r\n", "--\r\n", "--\r\n", "--", "", "\r\n", "--epilogue\r\n"),
    preamble: fc.constantFrom("", "", "", "preamble\r\n", "\r\n"),
    damage: fc.option(damaged, { freq: 1 }),
    coding: fc.constantFrom(null, null, "gzip" as const, "zstd" as const),
    lateDamage: fc.option(damaged, { freq: 1 }),
    idempotencyKey: fc.constantFrom(null, null, "one", "two", "three"),
    isForFiles: fc.integer({ min: 0, max: 4 }).map((digit) => digit > 0),
  })
  .map(({ boundary, isQuoted, parts, end, preamble, damage, coding, lateDamage, ...rest }) => {
    const between = Buffer.from(`--${boundary}`, "latin1");
    const plain = Buffer.concat([
      Buffer.from(preamble),
      ...parts.flatMap((one) => [between, one]),
      between,
      Buffer.from(end),
    ]);
    const sent = damage === null ? plain : damage(plain);
    const encoded = coding === null ? sent : coding === "gzip" ? gzipSync(sent) : rawFrame(sent);
    return {
      ...rest,
      coding,
      contentType: `multipart/form-data; boundary=${isQuoted ? quoted(boundary) : boundary}`,
      body: coding !== null && lateDamage !== null ? lateDamage(encoded) : encoded,
    };
  });

/**
 * Returns `count` forms, each in a request that is valid HTTP. The result is the same for the same seed and the same
 * known things.
 */
export function fuzzedForms(count: number, seed: number, { key, uploadId }: KnownThings): RawExchange[] {
  const exchange = form.map(({ isForFiles, contentType, coding, idempotencyKey, body }): RawExchange => {
    const head = [
      `POST ${isForFiles ? "/v1/files" : `/v1/uploads/${uploadId}/parts`} HTTP/1.1`,
      "Host: x",
      `Authorization: Bearer ${key}`,
      `Content-Type: ${contentType}`,
      ...(coding === null ? [] : [`Content-Encoding: ${coding}`]),
      ...(idempotencyKey === null ? [] : [`Idempotency-Key: ${idempotencyKey}`]),
      `Content-Length: ${String(body.length)}`,
      "Connection: close",
    ].join("\r\n");
    return { bytes: Buffer.concat([Buffer.from(`${head}\r\n\r\n`, "latin1"), body]), requests: 1 };
  });
  return fc.sample(exchange, { numRuns: count, seed });
}
