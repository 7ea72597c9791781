import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createLineIndex, readSpan, spanCount } from "./line-index.ts";

test("reads back the spans that were added, in order", () => {
  const span = fc.record({ offset: fc.nat(2 ** 32 - 1), length: fc.nat(2 ** 32 - 1) });
  fc.assert(
    fc.property(fc.array(span, { maxLength: 50 }), (spans) => {
      const index = createLineIndex();
      for (const each of spans) index.add(each);

      const bytes = Buffer.from(index.toBuffer());

      expect(spanCount(bytes)).toBe(spans.length);
      expect(spans.map((_, line) => readSpan(bytes, line))).toEqual(spans);
    }),
  );
});

test("grows from empty to the 50,000 lines of a full batch", () => {
  const index = createLineIndex();
  expect(spanCount(index.toBuffer())).toBe(0);
  for (let i = 0; i < 50_000; i += 1) index.add({ offset: i * 2_000, length: i });

  expect(index.toBuffer()).toHaveLength(400_000);
  expect(readSpan(index.toBuffer(), 49_999)).toEqual({ offset: 99_998_000, length: 49_999 });
});
