import { expect, test } from "@jest/globals";
import { scanReplyBody } from "./reply-body.ts";

test.each([
  ["{}", true],
  ["[1]", true],
  ['"text"', true],
  ["null", true],
  ["\n 1 \n", true],
  ["", false],
  ["<html>", false],
  ['{"a":1', false],
  ["{}{}", false],
])("a result line can contain a body of %j: %s", (body, isUsable) => {
  expect(scanReplyBody(Buffer.from(body)).isUsable).toBe(isUsable);
});

test("a result line cannot contain a body that is not UTF-8", () => {
  expect(scanReplyBody(Buffer.from([0x22, 0xff, 0x22])).isUsable).toBe(false);
});

test("finds the last usage of a body, as JSON.parse does", () => {
  const bytes = Buffer.from('{"usage": 1, "choices": [{"usage": 2}], "usage": {"total_tokens": 3}}');

  const { usage } = scanReplyBody(bytes);

  expect(bytes.toString("utf8", usage?.start, usage?.end)).toBe('{"total_tokens": 3}');
});
