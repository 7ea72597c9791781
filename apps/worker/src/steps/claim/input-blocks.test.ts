/** Tests that the block cache returns the same bytes as a range request, with far fewer reads. */
import { beforeEach, expect, test } from "@jest/globals";
import fc from "fast-check";
import type { ByteRange } from "@nightshift/storage";
import { createInputBlocks } from "./input-blocks.ts";

const MIB = 1024 * 1024;
/** Slightly more than three blocks, without repetition. */
const input = Buffer.from(Uint32Array.from({ length: (3 * MIB + 400) / 4 }, (_, i) => i * 2_654_435_761).buffer);

let reads: (ByteRange | undefined)[];
let failure: Error | null;
const store = {
  read: async (_key: string, range?: ByteRange): Promise<Buffer> => {
    reads.push(range);
    if (failure !== null) throw failure;
    return input.subarray(range?.start, range?.end);
  },
};

beforeEach(() => {
  reads = [];
  failure = null;
});

test("returns the bytes of any range: within a block, across two or more, and at the end", async () => {
  const blocks = createInputBlocks(store);
  await fc.assert(
    fc.asyncProperty(fc.nat(input.length - 1), fc.integer({ min: 1, max: input.length }), async (start, length) => {
      const end = Math.min(start + length, input.length);
      const bytes = await blocks.read("a", { start, end });
      expect(bytes.equals(input.subarray(start, end))).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test("reads a block once for all slices in it, in sequence or at the same time", async () => {
  const blocks = createInputBlocks(store);
  const slices = Array.from({ length: 10 }, (_, i) => ({ start: i * 1_000, end: (i + 1) * 1_000 }));

  await Promise.all(slices.map((range) => blocks.read("a", range)));
  await blocks.read("a", { start: 5, end: 6 });
  expect(reads).toHaveLength(1);

  await blocks.read("b", { start: 5, end: 6 });
  expect(reads).toHaveLength(2);
});

test("reads again after a failed read", async () => {
  const blocks = createInputBlocks(store);
  failure = new Error("the store is unavailable");
  await expect(blocks.read("a", { start: 0, end: 4 })).rejects.toThrow("unavailable");
  failure = null;

  expect(await blocks.read("a", { start: 0, end: 4 })).toEqual(input.subarray(0, 4));
});

test("gives each reader its own copy of the bytes", async () => {
  const blocks = createInputBlocks(store);
  (await blocks.read("a", { start: 0, end: 4 })).fill(0xff);

  expect(await blocks.read("a", { start: 0, end: 4 })).toEqual(input.subarray(0, 4));
});

test("evicts the oldest blocks", async () => {
  const blocks = createInputBlocks(store);
  for (let i = 0; i < 100; i += 1) await blocks.read(`input-${String(i)}`, { start: 0, end: 1 });
  await blocks.read("input-99", { start: 0, end: 1 });
  expect(reads).toHaveLength(100);

  await blocks.read("input-0", { start: 0, end: 1 });
  expect(reads).toHaveLength(101);
});
