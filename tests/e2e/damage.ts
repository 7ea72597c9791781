/** Generates damaged bytes for fast-check. */
import fc from "fast-check";

/** Bytes with a meaning for parsers of lines, JSON, HTTP or UTF-8, and random bytes. */
const telling: fc.Arbitrary<Buffer> = fc.oneof(
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
      ...["\r\n\r\n", "--", ":", "%", ";", "=", "0\r\n\r\n", "HTTP/1.1"],
    )
    .map((text) => Buffer.from(text)),
  fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(200, 5_000).map((depth) => Buffer.from("[".repeat(depth))),
);

export type Change = (bytes: Buffer) => Buffer;

/**
 * One change at a position that is given as a share of the bytes: the bytes end there, or some bytes are removed,
 * inserted, flipped or repeated.
 */
export const change: fc.Arbitrary<Change> = fc
  .record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    kind: fc.constantFrom("end" as const, "cut" as const, "insert" as const, "flip" as const, "repeat" as const),
    length: fc.integer({ min: 1, max: 40 }),
    inserted: telling,
  })
  .map(({ at, kind, length, inserted }) => (bytes) => {
    const start = Math.floor(at * bytes.length);
    const [before, piece, after] = [
      bytes.subarray(0, start),
      bytes.subarray(start, start + length),
      bytes.subarray(start + length),
    ];
    switch (kind) {
      case "end":
        return before;
      case "cut":
        return Buffer.concat([before, after]);
      case "insert":
        return Buffer.concat([before, inserted, piece, after]);
      case "flip":
        return Buffer.concat([before, Buffer.from(piece.map((byte) => byte ^ 1)), after]);
      case "repeat":
        return Buffer.concat([before, piece, piece, after]);
    }
  });

/** One to three changes, one after another. */
export const damaged: fc.Arbitrary<Change> = fc
  .array(change, { minLength: 1, maxLength: 3 })
  .map((changes) => (bytes) => changes.reduce((sum, one) => one(sum), bytes));
