import { expect, test } from "@jest/globals";
import { createPayloadReader } from "./payload.ts";

const read = createPayloadReader();

test("reads a valid payload unchanged, with fields that a newer producer added", () => {
  const stored = { v: 1, slice_no: 3, gen: 0, hint: "new" };

  expect(read("slice.run", stored)).toEqual({ kind: "ok", payload: stored });
});

test("reads a payload with a higher version as newer, whatever its fields", () => {
  expect(read("slice.run", { v: 2, slices: [] })).toEqual({ kind: "newer" });
});

test.each([
  ["a missing field", { v: 1, batchNo: 1 }],
  ["an unknown lower version", { v: 0, upstream: "a" }],
  ["no version", { upstream: "a" }],
  ["an empty name", { v: 1, upstream: "" }],
  ["a string", "a"],
  ["null", null],
])("%s is invalid", (_what, stored) => {
  expect(read("upstream.feed", stored).kind).toBe("invalid");
});

test("reports all faults together", () => {
  const result = read("slice.run", { v: 1, slice_no: -1 });

  expect(result).toEqual({
    kind: "invalid",
    faults: "slice.run must have required property 'gen', slice.run/slice_no must be >= 0",
  });
});
