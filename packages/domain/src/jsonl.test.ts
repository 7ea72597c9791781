import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createLineSplitter, type RawLine } from "./jsonl.ts";

const LIMIT = 40;

function split(chunks: readonly Uint8Array[], limit = LIMIT): RawLine[] {
  const splitter = createLineSplitter(limit);
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
}

const lines = (text: string | Buffer, limit?: number): unknown[] =>
  split([Buffer.from(text)], limit).map(({ number, offset, bytes }) => [number, offset, bytes?.toString() ?? null]);

/** Generates files from the characters that matter to the splitter. */
const file = fc
  .array(
    fc.oneof(
      fc.constantFrom("\n", "\r\n", "\r", " ", "\t", "\ufeff", "{}", "é", "x".repeat(LIMIT - 1), "x".repeat(LIMIT + 3)),
      fc.string({ unit: "grapheme", maxLength: 6 }),
    ),
    { maxLength: 30 },
  )
  .map((pieces) => Buffer.from(pieces.join("")));

test("finds the same lines for any chunks", () => {
  fc.assert(
    fc.property(file, fc.array(fc.nat(1_000), { maxLength: 8 }), (bytes, cuts) => {
      const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
      const chunks = at.slice(1).map((end, i) => Uint8Array.from(bytes.subarray(at[i], end)));
      expect(split(chunks)).toEqual(split([bytes]));
      expect(split([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(split([bytes]));
    }),
    { numRuns: 500 },
  );
});

test("offsets lead to the lines, and only line breaks and blanks lie between them", () => {
  fc.assert(
    fc.property(file, (bytes) => {
      let from = 0;
      for (const line of split([bytes])) {
        if (line.bytes !== null) expect(bytes.subarray(line.offset, line.offset + line.length)).toEqual(line.bytes);
        const between = bytes.toString("utf8", from, line.offset);
        expect(from === 0 ? between.replace(/^\ufeff/, "") : between).toMatch(/^[ \t\r\n]*$/);
        const before = bytes.subarray(0, line.offset).filter((byte) => byte === 0x0a).length;
        expect(line.number).toBe(before + 1);
        from = line.offset + line.length;
      }
      expect(bytes.toString("utf8", from).replace(/^\ufeff/, "")).toMatch(/^[ \t\r\n]*$/);
    }),
    { numRuns: 500 },
  );
});

describe("line breaks", () => {
  test.each([
    [
      "LF",
      "a\nb\n",
      [
        [1, 0, "a"],
        [2, 2, "b"],
      ],
    ],
    [
      "CRLF",
      "a\r\nb\r\n",
      [
        [1, 0, "a"],
        [2, 3, "b"],
      ],
    ],
    [
      "no last break",
      "a\nb",
      [
        [1, 0, "a"],
        [2, 2, "b"],
      ],
    ],
    ["a CR at the end of the file", "a\r", [[1, 0, "a"]]],
    ["a CR alone does not end a line", "a\rb\n", [[1, 0, "a\rb"]]],
    ["U+2028 does not end a line", "a\u2028b\n", [[1, 0, "a\u2028b"]]],
    ["blank lines are counted and left out", "\n \t\n\r\na\n\n", [[4, 6, "a"]]],
    [
      "a byte order mark is not part of the first line",
      "\ufeffa\n\ufeffb\n",
      [
        [1, 3, "a"],
        [2, 5, "\ufeffb"],
      ],
    ],
    ["a byte order mark only", "\ufeff", []],
    ["an empty file", "", []],
    ["line breaks only", "\n\n\r\n", []],
  ])("%s", (_name, text, expected) => {
    expect(lines(text)).toEqual(expected);
  });
});

describe("a line over the limit", () => {
  test("is returned without its bytes, in order, and the next line is complete", () => {
    expect(lines("ab\nabcd\nxyz\n", 3)).toEqual([
      [1, 0, "ab"],
      [2, 3, null],
      [3, 8, "xyz"],
    ]);
  });

  test.each(["\n", "\r\n", ""])("is longer than the limit without its line break (%j)", (lineBreak) => {
    expect(lines(`abc${lineBreak}`, 3)).toEqual([[1, 0, "abc"]]);
    expect(lines(`abcd${lineBreak}`, 3)).toEqual([[1, 0, null]]);
  });

  test("is not kept in memory while it arrives", () => {
    const splitter = createLineSplitter(100);
    const chunk = Buffer.alloc(1024 * 1024, "x");
    for (let i = 0; i < 64; i += 1) expect(splitter.push(chunk)).toEqual([]);

    expect(splitter.push(Buffer.from("\nok"))).toMatchObject([{ number: 1, length: 64 * 1024 * 1024, bytes: null }]);
    expect(splitter.end()).toMatchObject([{ number: 2, offset: 64 * 1024 * 1024 + 1, bytes: Buffer.from("ok") }]);
  });
});
