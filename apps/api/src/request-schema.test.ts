/** The error for a value that a schema refuses: the words of the contract, and the rule that was broken. */
import { expect, test } from "@jest/globals";
import { RequestError } from "@nightshift/domain";
import { Type } from "@sinclair/typebox";
import { bodyParser } from "./request-schema.ts";

const parse = bodyParser(
  Type.Object(
    {
      count: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
      name: Type.Optional(Type.String({ minLength: 1 })),
      word: Type.Optional(Type.String({ pattern: "^[a-z]*$" })),
      ids: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 2 })),
      map: Type.Optional(
        Type.Unsafe<object>({ type: "object", maxProperties: 1, additionalProperties: { type: "string" } }),
      ),
    },
    { additionalProperties: false },
  ),
);

function refusal(value: unknown): string {
  try {
    parse(value);
  } catch (error) {
    if (error instanceof RequestError) return `${String(error.facts.param)}: ${error.message}`;
    throw error;
  }
  throw new Error("the value was accepted");
}

test.each([
  [{ name: null }, "name: Invalid type for 'name': expected a string, but got null instead."],
  [{ count: 1.5 }, "count: Invalid type for 'count': expected an integer, but got a decimal number instead."],
  [{ count: 0 }, "count: Invalid value for 'count': it must be at least 1."],
  [{ count: 10 }, "count: Invalid value for 'count': it must be at most 9."],
  [{ name: "" }, "name: Invalid value for 'name': it must not be empty."],
  [{ word: "a b" }, "word: Invalid value for 'word': it contains a character that is not allowed."],
  [{ ids: ["a", 1] }, "ids[1]: Invalid type for 'ids[1]': expected a string, but got an integer instead."],
  [{ ids: [] }, "ids: Invalid value for 'ids': it must have at least 1 entry."],
  [{ ids: ["a", "b", "c"] }, "ids: Invalid value for 'ids': it must not have more than 2 entries."],
  [{ map: { "0": 1 } }, "map.0: Invalid type for 'map.0': expected a string, but got an integer instead."],
  [{ map: { a: "", b: "" } }, "map: Invalid value for 'map': it must not have more than 1 key."],
  [{ other: 1 }, "other: Unknown parameter: 'other'."],
])("refuses %j with a message that names the rule", (value, message) => {
  expect(refusal(value)).toBe(message);
});
