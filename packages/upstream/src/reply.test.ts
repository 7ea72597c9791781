import { expect, test } from "@jest/globals";
import { classify, type UpstreamReply } from "./reply.ts";

const answer = (status: number): UpstreamReply => ({
  kind: "answer",
  status,
  body: Buffer.from("{}"),
  requestId: null,
  retryAfterMs: null,
});

test.each([
  [200, "success"],
  [201, "success"],
  [299, "success"],
  [302, "answer"],
  [400, "answer"],
  [401, "answer"],
  [404, "answer"],
  [408, "next_attempt"],
  [409, "next_attempt"],
  [422, "answer"],
  [429, "throttled"],
  [500, "next_attempt"],
  [502, "next_attempt"],
  [503, "throttled"],
  [504, "next_attempt"],
  [529, "next_attempt"],
])("classifies status %d as %s", (status, expected) => {
  expect(classify(answer(status))).toBe(expected);
});

test.each([
  ["refused", "throttled"],
  ["broken", "next_attempt"],
  ["timeout", "next_attempt"],
] as const)("classifies %s without a reply as %s", (kind, expected) => {
  expect(classify({ kind, message: "" })).toBe(expected);
});
