/** Input files that were good until something happened to them. */
import { BATCH_ENDPOINTS, type BatchEndpoint } from "@nightshift/domain";
import fc from "fast-check";

export interface FuzzedFile {
  readonly endpoint: BatchEndpoint;
  readonly bytes: Buffer;
}

const BODIES: Readonly<Record<BatchEndpoint, object>> = {
  "/v1/chat/completions": { model: "m", messages: [{ role: "user", content: "Ünïcode 🙂?" }] },
  "/v1/embeddings": { model: "m", input: "text" },
  "/v1/completions": { model: "m", prompt: "text" },
  "/v1/responses": { model: "m", input: "text" },
  "/v1/moderations": { model: "m", input: "text" },
  "/v1/images/generations": { model: "m", prompt: "a cat" },
  "/v1/images/edits": { model: "m", prompt: "a cat" },
  "/v1/videos": { model: "m", prompt: "a cat" },
};

function goodFile(endpoint: BatchEndpoint, lines: number, prefix: string): Buffer {
  const texts = Array.from({ length: lines }, (_, index) =>
    JSON.stringify({ custom_id: `${prefix}-${String(index)}`, method: "POST", url: endpoint, body: BODIES[endpoint] }),
  );
  return Buffer.from(`${texts.join("\n")}\n`);
}

/** Bytes that mean something to a reader of lines, of JSON or of UTF-8, and any others. */
const inserted = fc.oneof(
  fc
    .constantFrom(
      ...[
        "\n",
        "\r\n",
        "\0",
        "\ufeff",
        '"',
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\\u0000",
        "\\ud800",
        "1e999",
        "-0",
        " ",
        "null",
        "\u2028",
      ],
    )
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(200, 5_000).map((depth) => Buffer.from("[".repeat(depth))),
);

/** Where, as a share of the file, and what: bytes go, come, change, or a piece comes twice. */
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  kind: fc.constantFrom("cut" as const, "insert" as const, "flip" as const, "repeat" as const, "value" as const),
  length: fc.integer({ min: 1, max: 40 }),
  bytes: inserted,
  value: fc.json({ maxDepth: 3 }),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(file: Buffer, { at, kind, length, bytes, value }: Mutation): Buffer {
  const start = Math.floor(at * file.length);
  const [before, piece, after] = [
    file.subarray(0, start),
    file.subarray(start, start + length),
    file.subarray(start + length),
  ];
  switch (kind) {
    case "cut":
      return Buffer.concat([before, after]);
    case "insert":
      return Buffer.concat([before, bytes, piece, after]);
    case "flip":
      return Buffer.concat([before, Buffer.from(piece.map((byte) => byte ^ 1)), after]);
    case "repeat":
      return Buffer.concat([before, piece, piece, after]);
    case "value":
      return withValue(file, start, value);
  }
}

/** Another value for the first member from there on. */
function withValue(file: Buffer, start: number, value: string): Buffer {
  const colon = file.indexOf('":', start);
  const end = colon === -1 ? -1 : file.indexOf(",", colon);
  if (end === -1) return file;
  return Buffer.concat([file.subarray(0, colon + 2), Buffer.from(value), file.subarray(end)]);
}

/** `count` files with up to four mutations each; the same for the same seed. */
export function fuzzedFiles(count: number, seed: number): FuzzedFile[] {
  const file = fc
    .record({
      endpoint: fc.constantFrom(...BATCH_ENDPOINTS),
      lines: fc.integer({ min: 1, max: 4 }),
      // The upload itself judges the first line, so that most files keep theirs: the others never get as far as validation.
      isFirstKept: fc.integer({ min: 0, max: 9 }).map((digit) => digit > 0),
      mutations: fc.array(mutation, { minLength: 0, maxLength: 4 }),
    })
    .map(({ endpoint, lines, isFirstKept, mutations }) => ({
      endpoint,
      bytes: Buffer.concat([
        isFirstKept ? goodFile(endpoint, 1, "kept") : Buffer.alloc(0),
        mutations.reduce(mutate, goodFile(endpoint, lines, "line")),
      ]),
    }));
  return fc.sample(file, { numRuns: count, seed });
}
