import { expect, test } from "@jest/globals";
import { describeErrorLine, isWhole } from "./outcome.ts";
import type { Batch } from "./follow-batch.ts";

const line = (rest: object): string => JSON.stringify({ id: "batch_req_1", custom_id: "req-1", ...rest });

test("a refusal of the upstream is told by status, code and message", () => {
  const error = { message: "Too\nlong", type: "invalid_request_error", param: null, code: "context_length_exceeded" };
  const text = line({ response: { status_code: 400, request_id: "req_1", body: { error } }, error: null });

  expect(describeErrorLine(text)).toBe("req-1: status 400, context_length_exceeded, Too long");
});

test("an answer that is no JSON object is told by its status", () => {
  const text = line({ response: { status_code: 502, request_id: "req_1", body: "<html>" }, error: null });

  expect(describeErrorLine(text)).toBe("req-1: status 502");
});

test("a line that was never answered is told by its error", () => {
  const text = line({ response: null, error: { code: "batch_expired", message: "It was too late." } });

  expect(describeErrorLine(text)).toBe("req-1: batch_expired, It was too late.");
});

test("a line of a shape that we do not know is shown as it is, cut", () => {
  expect(describeErrorLine(JSON.stringify("x".repeat(500)))).toHaveLength(160);
});

test.each([
  ["completed", 0, true],
  ["completed", 1, false],
  ["expired", 0, false],
  ["cancelled", 0, false],
  ["failed", 0, false],
] as const)("a batch that is %s with %i failed lines is whole: %s", (status, failed, expected) => {
  const batch = { status, request_counts: { total: 3, completed: 3 - failed, failed } } as Batch;

  expect(isWhole(batch)).toBe(expected);
});
