import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { scanReplyBody } from "./reply-body.ts";
import { readUsage } from "./usage.ts";

const read = (usage: unknown): unknown =>
  readUsage(scanReplyBody(Buffer.from(JSON.stringify({ id: "x", usage, after: 1 }))));
const nothing = { inputTokens: 0, outputTokens: 0, totalTokens: 0, cachedTokens: 0, reasoningTokens: 0 };

test("reads the prompt and completion tokens of chat completions", () => {
  const usage = {
    prompt_tokens: 10,
    completion_tokens: 20,
    total_tokens: 31,
    prompt_tokens_details: { cached_tokens: 4, audio_tokens: 1 },
    completion_tokens_details: { reasoning_tokens: 5 },
  };

  expect(read(usage)).toEqual({
    inputTokens: 10,
    outputTokens: 20,
    totalTokens: 31,
    cachedTokens: 4,
    reasoningTokens: 5,
  });
});

test("reads the input and output tokens of responses", () => {
  const usage = {
    input_tokens: 10,
    output_tokens: 20,
    total_tokens: 30,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens_details: { reasoning_tokens: 5 },
  };

  expect(read(usage)).toEqual({
    inputTokens: 10,
    outputTokens: 20,
    totalTokens: 30,
    cachedTokens: 4,
    reasoningTokens: 5,
  });
});

test.each([
  [
    "embeddings, which have no output",
    { prompt_tokens: 8, total_tokens: 8 },
    { ...nothing, inputTokens: 8, totalTokens: 8 },
  ],
  ["no total", { input_tokens: 1, output_tokens: 2 }, { ...nothing, inputTokens: 1, outputTokens: 2, totalTokens: 3 }],
  ["no members", {}, nothing],
  ["values that are not counts", { prompt_tokens: -1, completion_tokens: 1.5, total_tokens: "9" }, nothing],
  ["implausibly large counts", { prompt_tokens: 1e12, total_tokens: 1e300 }, nothing],
  [
    "details that are not objects",
    { prompt_tokens: 1, prompt_tokens_details: [7] },
    { ...nothing, inputTokens: 1, totalTokens: 1 },
  ],
  ["null", null, null],
  ["a list", [1], null],
  ["a number", 7, null],
])("usage with %s", (_name, usage, expected) => {
  expect(read(usage)).toEqual(expected);
});

test.each(["{}", "[]", "null", '"usage"', '{"data":{"usage":{"total_tokens":1}}}', '{"usage":', ""])(
  "%j has no usage",
  (body) => {
    expect(readUsage(scanReplyBody(Buffer.from(body)))).toBeNull();
  },
);

test("reads only non-negative safe integers from any usage", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (usage) => {
      for (const count of Object.values(readUsage(scanReplyBody(Buffer.from(JSON.stringify({ usage })))) ?? {})) {
        expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
      }
    }),
  );
});
