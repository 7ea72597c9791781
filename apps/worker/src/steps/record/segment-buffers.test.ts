/** Memory of segments: as long as asked for, never that of two segments at once. */
import { expect, test } from "@jest/globals";
import { createSegmentBuffers } from "./segment-buffers.ts";

test.each([0, 1, 1_000, 1024 * 1024, 20 * 1024 * 1024])("a buffer of %i bytes has as many", (bytes) => {
  expect(createSegmentBuffers(2).take(bytes).body).toHaveLength(bytes);
});

test("memory comes back into use once it is released, and only then", () => {
  const buffers = createSegmentBuffers(2);
  const first = buffers.take(10);
  const second = buffers.take(10);
  first.release();
  const third = buffers.take(10);

  expect(third.body.buffer).toBe(first.body.buffer);
  expect(second.body.buffer).not.toBe(third.body.buffer);
});

test("what is released twice is not given to two", () => {
  const buffers = createSegmentBuffers(2);
  const taken = buffers.take(10);
  taken.release();
  taken.release();

  expect(buffers.take(10).body.buffer).not.toBe(buffers.take(10).body.buffer);
});

test("no more is kept than was asked for", () => {
  const buffers = createSegmentBuffers(1);
  const [first, second] = [buffers.take(10), buffers.take(10)];
  first.release();
  second.release();

  expect(buffers.take(10).body.buffer).toBe(first.body.buffer);
  expect(buffers.take(10).body.buffer).not.toBe(second.body.buffer);
});
