/**
 * Runs every curl example of docs/batch-file-api.md on its own file and batch, and compares the replies with the page.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { makeTemporaryFolder, testServices } from "@nightshift/testing";
import { fillIn, keysOf, pageExample, pageExamples, PLACEHOLDERS } from "@nightshift/testing/pages";
import { jsonOf, upload, useApi } from "./api-under-test.ts";

const api = useApi();
const run = promisify(execFile);
const { bash } = testServices();

const examples = pageExamples("docs/batch-file-api.md", "bash").map(({ text }) => ({
  text,
  name: /(-X \w+ )?"?http:\/\/localhost:8080(\S*)/.exec(text)?.[0] ?? text,
}));
/** The replies on the page, by the name of their schema. */
const shown = new Map(pageExamples("docs/batch-file-api.md", "json").map(({ label, text }) => [label, text]));

async function createBatch(fileId: string): Promise<string> {
  const body = JSON.stringify({ input_file_id: fileId, endpoint: "/v1/embeddings", completion_window: "24h" });
  return String((await jsonOf(await api.fetch("/v1/batches", { method: "POST", body })))["id"]);
}

const withCurl = bash === null ? test.skip : test;
withCurl.each(examples)("$name works", async ({ text }) => {
  const folder = await makeTemporaryFolder("reference");
  await writeFile(path.join(folder, "requests.jsonl"), '{"custom_id":"1"}\n');
  const file = await upload(api);
  const own = {
    url: api.url(),
    key: api.authorization("one").replace("Bearer ", ""),
    ...(text.includes(PLACEHOLDERS.file) ? { file: file.id } : {}),
    ...(text.includes(PLACEHOLDERS.batch) ? { batch: await createBatch(file.id) } : {}),
  };
  const command = fillIn(text, own);

  // A status of 400 or more makes curl, and with it the script, fail.
  const script = `curl() { command curl --silent --show-error --fail-with-body "$@"; }\n${command}`;
  const { stdout } = await run(bash ?? "", ["-euo", "pipefail", "-c", script], { cwd: folder, timeout: 30_000 });

  const copied = text.includes("copy.jsonl") ? readFileSync(path.join(folder, "copy.jsonl"), "utf8") : stdout;
  expect(copied).toMatch(/"(object|custom_id)"/);
  await rm(folder, { recursive: true });
});

test("objects have the keys that the pages show, in the same order", async () => {
  const file = await upload(api);
  const refused = await api.fetch("/v1/files", { method: "POST", body: formWith("requests.txt") });
  const replies: Record<string, unknown> = {
    File: file,
    FileList: await jsonOf(await api.fetch("/v1/files?purpose=evals")),
    Batch: await jsonOf(await api.fetch(`/v1/batches/${await createBatch(file.id)}`)),
    DeletedFile: await jsonOf(await api.fetch(`/v1/files/${file.id}`, { method: "DELETE" })),
    ErrorReply: await jsonOf(refused),
  };
  const withoutMetadata = (keys: string[]): string[] => keys.filter((key) => !key.startsWith(".metadata."));

  for (const [name, reply] of Object.entries(replies)) {
    expect(keysOf(reply)).toEqual(withoutMetadata(keysOf(JSON.parse(shown.get(name) ?? ""))));
  }
  expect(replies["ErrorReply"]).toEqual(JSON.parse(shown.get("ErrorReply") ?? ""));
});

test("the API returns the error that docs/errors.md shows", async () => {
  const reply = await api.fetch("/v1/batches", { method: "POST", body: "{}" });

  expect(reply.status).toBe(400);
  expect(await jsonOf(reply)).toEqual(JSON.parse(pageExample("docs/errors.md", "Errors", "json")));
});

function formWith(filename: string): FormData {
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new Blob(['{"custom_id":"1"}\n']), filename);
  return form;
}
