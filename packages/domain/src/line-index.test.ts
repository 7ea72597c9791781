import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createLineIndex, indexRange, readSpan, spanCount } from "./line-index.ts";

test("any run of lines is read back from its piece of the index alone", () => {
  const span = fc.record({ offset: fc.nat(2 ** 32 - 1), length: fc.nat(2 ** 32 - 1) });
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 50 }), fc.nat(), fc.nat(), (spans, a, b) => {
      const index = createLineIndex();
      for (const each of spans) index.add(each);
      const first = a % spans.length;
      const count = 1 + (b % (spans.length - first));

      const { start, end } = indexRange(first, count);
      const piece = Buffer.from(index.toBuffer().subarray(start, end));

      expect(spanCount(piece)).toBe(count);
      expect(Array.from({ length: count }, (_, i) => readSpan(piece, i))).toEqual(spans.slice(first, first + count));
    }),
  );
});

test("an index grows to a full batch, and one of nothing is empty", () => {
  const index = createLineIndex();
  expect(spanCount(index.toBuffer())).toBe(0);
  for (let i = 0; i < 50_000; i += 1) index.add({ offset: i * 2_000, length: i });

  expect(index.toBuffer()).toHaveLength(400_000);
  expect(readSpan(index.toBuffer(), 49_999)).toEqual({ offset: 99_998_000, length: 49_999 });
});
