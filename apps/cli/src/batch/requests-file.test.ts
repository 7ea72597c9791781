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
  ["the url of the first line", '{"url":"/v1/embeddings"}\n{"url":"/v1/responses"}\n', "/v1/embeddings"],
  ["blank lines passed over", '\n  \r\n{"url":"/v1/embeddings"}', "/v1/embeddings"],
  ["no url", '{"custom_id":"a"}\n', "/v1/chat/completions"],
  ["null", "null\n", "/v1/chat/completions"],
  ["a byte order mark passed over", '\uFEFF{"url":"/v1/embeddings"}', "/v1/embeddings"],
  ["a line separator inside a string", '{"custom_id":"\u2028","url":"/v1/embeddings"}\n', "/v1/embeddings"],
  [
    "a first line of many chunks",
    `{"text":"${"x".repeat(3_000_000)}","url":"/v1/embeddings"}\nno JSON`,
    "/v1/embeddings",
  ],
])("%s", async (_name, text, endpoint) => {
  const file = path.join(folder, "requests.jsonl");
  writeFileSync(file, text);

  expect(await endpointOf(file)).toBe(endpoint);
});

test.each([
  ["nothing at all", "", /requests\.jsonl is empty\. Each line/],
  ["blank lines alone", "\n \r\n", /requests\.jsonl is empty\. Each line/],
  ["a table", "custom_id,url\n", /requests\.jsonl, line 1 is no JSON: Unexpected token .*\. Each line/],
  ["a list over several lines", "\n[\n{}\n]", /requests\.jsonl, line 2 is no JSON: .*\. Each line/],
  ["bytes that are no text", Buffer.from([0x22, 0xc3, 0x28, 0x22]), /line 1 is no JSON: .*utf-8/],
])("%s is no file of requests, and the message says why", async (_name, bytes, message) => {
  const file = path.join(folder, "requests.jsonl");
  writeFileSync(file, bytes);

  await expect(endpointOf(file)).rejects.toThrow(message);
});
