/** Runs every curl example of docs/batch-file-api.md, each on a file and a batch of its own. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { makeTemporaryFolder, testServices } from "@nightshift/testing";
import { jsonOf, upload, useApi } from "./api-under-test.ts";

const api = useApi();
const run = promisify(execFile);
const { bash } = testServices();

const page = readFileSync(path.resolve(import.meta.dirname, "../../../docs/batch-file-api.md"), "utf8");
const examples = [...page.matchAll(/^```bash\n(.*?)^```/gms)].map(([, text = ""]) => ({
  text,
  name: /(-X \w+ )?"?http:\/\/localhost:8080(\S*)/.exec(text)?.[0] ?? text,
}));

async function createBatch(fileId: string): Promise<string> {
  const body = JSON.stringify({ input_file_id: fileId, endpoint: "/v1/embeddings", completion_window: "24h" });
  return String((await jsonOf(await api.fetch("/v1/batches", { method: "POST", body })))["id"]);
}

const withCurl = bash === null ? test.skip : test;
withCurl.each(examples)("$name is answered as the page says", async ({ text }) => {
  const folder = await makeTemporaryFolder("reference");
  await writeFile(path.join(folder, "requests.jsonl"), '{"custom_id":"1"}\n');
  const file = await upload(api);
  const command = text
    .replaceAll("http://localhost:8080", api.url())
    .replaceAll("Bearer YOUR_API_KEY", api.authorization("one"))
    .replaceAll("file-abc123", file.id)
    .replaceAll("batch_xyz789", await createBatch(file.id));

  // Any status from 400 on makes curl, and so the run, fail.
  const script = `curl() { command curl --silent --show-error --fail-with-body "$@"; }\n${command}`;
  const { stdout } = await run(bash ?? "", ["-euo", "pipefail", "-c", script], { cwd: folder, timeout: 30_000 });

  const copied = text.includes("copy.jsonl") ? readFileSync(path.join(folder, "copy.jsonl"), "utf8") : stdout;
  expect(copied).toMatch(/"(object|custom_id)"/);
  await rm(folder, { recursive: true });
});
