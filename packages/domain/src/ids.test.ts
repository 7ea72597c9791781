import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { newBatchId, newBatchRequestId, newFileId, newRequestId } from "./ids.ts";

const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
const randomOf = (source: Uint8Array) => (count: number) => source.subarray(0, count);

test("ids have OpenAI's formats for any random bytes", () => {
  fc.assert(
    fc.property(bytes, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (source, seconds) => {
      const random = randomOf(source);
      expect(newFileId(random)).toMatch(/^file-[1-9A-HJ-NP-Za-km-z]{22}$/);
      expect(newBatchId(random, seconds)).toMatch(/^batch_[0-9a-f]{32}$/);
      expect(newBatchRequestId(random, seconds)).toMatch(/^batch_req_[0-9a-f]{32}$/);
      expect(newRequestId(random)).toMatch(/^req_[0-9a-f]{32}$/);
      expect(parseInt(newBatchId(random, seconds).slice("batch_".length, "batch_".length + 8), 16)).toBe(seconds);
    }),
  );
});

test("different random bytes give different file ids: none of the 128 bits is lost", () => {
  fc.assert(
    fc.property(bytes, fc.nat(127), (source, bit) => {
      const other = Uint8Array.from(source);
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(newFileId(randomOf(other))).not.toBe(newFileId(randomOf(source)));
    }),
  );
});
