import { expect, test } from "@jest/globals";
import { errorsFileFor } from "./save-file.ts";

test.each([
  ["results.jsonl", "results.errors.jsonl"],
  ["out/2026.01/results.jsonl", "out/2026.01/results.errors.jsonl"],
  ["results", "results.errors.jsonl"],
  ["results.json", "results.json.errors.jsonl"],
  ["out/.jsonl", "out/.jsonl.errors.jsonl"],
])("writes the failed lines of '%s' to '%s'", (output, errors) => {
  expect(errorsFileFor(output)).toBe(errors);
});
