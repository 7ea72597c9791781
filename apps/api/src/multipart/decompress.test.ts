/**
 * Decompression as a stream: input cut anywhere, several frames, every kind of damage, and a reader that stops early.
 */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { RequestError } from "@nightshift/domain";
import {
  bomb,
  CHECKED_FRAME,
  CHECKED_TEXT,
  frameWith,
  rawFrame,
  REFERENCE_FRAME,
  REFERENCE_TEXT,
  skippableFrame,
} from "../../test/zstd-frames.ts";
import { type Coding, decompressed, readCompressedName, readContentEncoding } from "./decompress.ts";

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function read(bytes: Buffer, coding: Coding, size = 1000): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompressed(cut(bytes, size), coding)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const text = Array.from({ length: 30_000 }, (_, i) => `{"custom_id":"${String(i)}"}\n`).join("");
const halves = [Buffer.from(text.slice(0, 1000)), Buffer.from(text.slice(1000))] as const;

describe("decompresses", () => {
  test.each<[string, Coding, Buffer, string]>([
    ["one gzip member", "gzip", gzipSync(text), text],
    ["two gzip members", "gzip", Buffer.concat(halves.map((half) => gzipSync(half))), text],
    ["empty gzip", "gzip", gzipSync(""), ""],
    ["one zstd frame", "zstd", rawFrame(Buffer.from(text)), text],
    ["two zstd frames", "zstd", Buffer.concat(halves.map((half) => rawFrame(half))), text],
    ["the reference encoder's frame", "zstd", REFERENCE_FRAME, REFERENCE_TEXT],
    ["a frame with a checksum", "zstd", CHECKED_FRAME, CHECKED_TEXT],
    [
      "frames with and without a checksum",
      "zstd",
      Buffer.concat([CHECKED_FRAME, rawFrame(Buffer.from("{}")), CHECKED_FRAME]),
      `${CHECKED_TEXT}{}${CHECKED_TEXT}`,
    ],
    [
      "the shortest frames",
      "zstd",
      Buffer.concat(["a", "", "b"].map((each) => frameWith([0x20, each.length], Buffer.from(each)))),
      "ab",
    ],
    ["a window of 8 MiB", "zstd", frameWith([0x00, 13 << 3], Buffer.from("{}")), "{}"],
    ["a skippable frame before a frame", "zstd", Buffer.concat([skippableFrame(), REFERENCE_FRAME]), REFERENCE_TEXT],
  ])("%s (%s)", async (_what, coding, bytes, expected) => {
    expect(await read(bytes, coding)).toBe(expected);
  });

  test.each([1, 2, 3, 7, 64, 255, 257])("zstd in chunks of %d bytes", async (size) => {
    const bytes = Buffer.concat([REFERENCE_FRAME, skippableFrame(), CHECKED_FRAME, REFERENCE_FRAME]);

    expect(await read(bytes, "zstd", size)).toBe(REFERENCE_TEXT + CHECKED_TEXT + REFERENCE_TEXT);
  });
});

describe("refuses damaged data:", () => {
  const flipped = (bytes: Buffer, at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 0xff;
    return copy;
  };
  test.each<[string, Coding, Buffer]>([
    ["gzip cut short", "gzip", gzipSync(text).subarray(0, 5000)],
    ["gzip with a wrong checksum", "gzip", flipped(gzipSync(text), gzipSync(text).length - 6)],
    ["plain text as gzip", "gzip", Buffer.from(text)],
    ["zstd cut short", "zstd", REFERENCE_FRAME.subarray(0, 60)],
    ["zstd cut in its header", "zstd", REFERENCE_FRAME.subarray(0, 5)],
    ["zstd with an unknown block type", "zstd", flipped(REFERENCE_FRAME, 7)],
    ["zstd with a wrong checksum", "zstd", flipped(CHECKED_FRAME, CHECKED_FRAME.length - 1)],
    ["zstd with content that does not match its checksum", "zstd", flipped(CHECKED_FRAME, 20)],
    ["zstd cut in its checksum", "zstd", CHECKED_FRAME.subarray(0, -1)],
    ["zstd cut between two blocks", "zstd", rawFrame(Buffer.from(text)).subarray(0, 6 + 3 + 128 * 1024)],
    ["zstd cut in a skippable frame", "zstd", skippableFrame().subarray(0, -1)],
    ["a window just above 8 MiB", "zstd", frameWith([0x00, (13 << 3) | 1], Buffer.from("{}"))],
    ["a window of a terabyte", "zstd", frameWith([0x00, 0xff], Buffer.from("{}"))],
    ["one segment of 2^63 bytes", "zstd", frameWith([0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80], Buffer.from("{}"))],
    ["one segment above 8 MiB", "zstd", frameWith([0xa0, 1, 0, 0x80, 0], Buffer.from("{}"))],
    ["plain text as zstd", "zstd", Buffer.from(text)],
    ["empty zstd", "zstd", Buffer.alloc(0)],
    [
      "bytes after a frame that are not a frame",
      "zstd",
      Buffer.concat([REFERENCE_FRAME, Buffer.from("this is no frame at all")]),
    ],
  ])("%s", async (_what, coding, bytes) => {
    const error: unknown = await read(bytes, coding).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(RequestError);
    expect((error as Error).message).toMatch(new RegExp(`^We could not decompress your ${coding} data: .*Compress it`));
  });

  test("rethrows an error of the source unchanged", async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(gzipSync(text).subarray(0, 100));
      throw new Error("the client is gone");
    }
    const reading = async (): Promise<void> => {
      for await (const chunk of decompressed(broken(), "gzip")) expect(chunk.length).toBeGreaterThan(0);
    };

    await expect(reading()).rejects.toThrow("the client is gone");
  });
});

describe("zstd data without content", () => {
  const emptyFrame = (windowDescriptor: number): Buffer => frameWith([0x00, windowDescriptor], Buffer.alloc(0));
  const repeated = (bytes: Buffer, count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => bytes));

  test.each([
    ["frames", repeated(emptyFrame(0x00), 1000)],
    ["skippable frames", repeated(skippableFrame(), 1000)],
    ["blocks", Buffer.concat([emptyFrame(0x00).subarray(0, 6), Buffer.alloc(3 * 999), Buffer.from([1, 0, 0])])],
  ])("takes one turn of the event loop for each of 1,000 empty %s", async (_what, bytes) => {
    let turns = 0;
    const count = (): void => {
      turns += 1;
      ticker = setImmediate(count);
    };
    let ticker = setImmediate(count);
    const text = await read(Buffer.concat([bytes, emptyFrame(0x00)]), "zstd", bytes.length + 9);
    clearImmediate(ticker);

    expect(text).toBe("");
    expect(turns).toBeGreaterThanOrEqual(1000);
  });

  test.each([
    ["with a window of 8 MiB", repeated(emptyFrame(13 << 3), 65)],
    ["that are skippable", repeated(skippableFrame(), 8_193)],
  ])("is refused when it has too many frames %s", async (_what, bytes) => {
    await expect(read(bytes, "zstd", 64 * 1024)).rejects.toThrow(/it has too many frames/);
  });
});

const member = gzipSync(Buffer.alloc(64 * 1024 * 1024));

test.each<[Coding, Buffer]>([
  ["gzip", Buffer.concat(Array.from({ length: 8 }, () => member))],
  ["zstd", bomb("", 50_000)],
])("decompresses no more of a %s bomb than is read", async (coding, bytes) => {
  let taken = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    for await (const chunk of cut(bytes, 256)) {
      taken += chunk.length;
      yield chunk;
    }
  }
  let made = 0;
  for await (const chunk of decompressed(source(), coding)) {
    made += chunk.length;
    if (made > 1024 * 1024) break;
  }

  expect(made).toBeLessThan(2 * 1024 * 1024);
  // Node's gunzip reads 16 KiB ahead, and 64 KiB from Node 22 on.
  expect(taken).toBeLessThan(bytes.length / 2);
});

test("recognizes compressed names and codings", () => {
  expect(readCompressedName("a.b.jsonl.gz")).toEqual({ coding: "gzip", filename: "a.b.jsonl" });
  expect(readCompressedName("A.JSONL.ZST")).toEqual({ coding: "zstd", filename: "A.JSONL" });
  for (const name of ["a.gz", "a.json.gz", "a.jsonl", "jsonl.gz", ""]) expect(readCompressedName(name)).toBeNull();
  const encoding = (text?: string): Coding | null =>
    readContentEncoding({ headers: text === undefined ? {} : { "content-encoding": text } });
  expect([encoding(), encoding("identity"), encoding("gzip"), encoding("ZSTD"), encoding("x-gzip")]).toEqual([
    ...[null, null, "gzip", "zstd", "gzip"],
  ]);
  expect(() => encoding("br")).toThrow("Unsupported Content-Encoding: 'br'. Supported are: 'gzip', 'zstd', or none.");
});
