import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { endpointOf } from "./requests-file.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "nightshift-requests-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test.each([
  ["a first line with a url", '{"url":"/v1/embeddings"}\n{"url":"/v1/responses"}\n', "/v1/embeddings"],
  ["a file that starts with blank lines", '\n  \r\n{"url":"/v1/embeddings"}', "/v1/embeddings"],
  ["a first line without a url", '{"custom_id":"a"}\n', "/v1/chat/completions"],
  ["a first line that is null", "null\n", "/v1/chat/completions"],
  ["a file with a byte order mark", '\uFEFF{"url":"/v1/embeddings"}', "/v1/embeddings"],
  ["a first line with U+2028 in a string", '{"custom_id":"\u2028","url":"/v1/embeddings"}\n', "/v1/embeddings"],
  [
    "a first line longer than one chunk",
    `{"text":"${"x".repeat(3_000_000)}","url":"/v1/embeddings"}\nnot JSON`,
    "/v1/embeddings",
  ],
])("finds the endpoint of %s", async (_name, text, endpoint) => {
  const file = path.join(folder, "requests.jsonl");
  writeFileSync(file, text);

  expect(await endpointOf(file)).toBe(endpoint);
});

test.each([
  ["an empty file", "", /requests\.jsonl is empty\. Each line/],
  ["a file of blank lines", "\n \r\n", /requests\.jsonl is empty\. Each line/],
  ["a CSV file", "custom_id,url\n", /requests\.jsonl, line 1 is not valid JSON: Unexpected token .*\. Each line/],
  ["a JSON array over several lines", "\n[\n{}\n]", /requests\.jsonl, line 2 is not valid JSON: .*\. Each line/],
  ["bytes that are not UTF-8", Buffer.from([0x22, 0xc3, 0x28, 0x22]), /line 1 is not valid JSON: .*utf-8/],
])("rejects %s and says why", async (_name, bytes, message) => {
  const file = path.join(folder, "requests.jsonl");
  writeFileSync(file, bytes);

  await expect(endpointOf(file)).rejects.toThrow(message);
});
