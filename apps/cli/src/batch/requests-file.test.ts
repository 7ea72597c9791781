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
  ["no JSON", "custom_id,url\n", "/v1/chat/completions"],
  ["null", "null\n", "/v1/chat/completions"],
  ["nothing at all", "", "/v1/chat/completions"],
])("%s", async (_name, text, endpoint) => {
  const file = path.join(folder, "requests.jsonl");
  writeFileSync(file, text);

  expect(await endpointOf(file)).toBe(endpoint);
});
