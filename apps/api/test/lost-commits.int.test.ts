/** Commits whose reply is lost: the object exists with its bytes, although the client got an error. */
import { randomUUID } from "node:crypto";
import { afterAll, expect, test } from "@jest/globals";
import { type Db, openDb } from "@nightshift/db";
import { useLostCommits } from "@nightshift/testing";
import { errorOf, jsonOf, useApi } from "./api-under-test.ts";
import { goodJson, line, uploadCalls } from "./uploads-fixture.ts";

const commits = useLostCommits();
let pool: Db | undefined;
const api = useApi(({ db }) => {
  pool = openDb({ url: commits.through(db.options.connectionString ?? ""), max: 2 });
  return { db: pool };
});
afterAll(() => pool?.end());
const { complete, createUpload, addPart } = uploadCalls(api);

function createFile(headers: Record<string, string> = {}): Promise<Response> {
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new Blob([line]), "a.jsonl");
  return api.fetch("/v1/files", { method: "POST", headers, body: form });
}

/** Expects a 503, because the API cannot know whether its transaction has committed. */
async function expectUnavailable(reply: Response): Promise<void> {
  expect(reply.headers.has("retry-after")).toBe(true);
  await errorOf(reply, 503);
}

const contentOf = async (id: unknown): Promise<string> => (await api.fetch(`/v1/files/${String(id)}/content`)).text();

/** The ids of all files, newest first. */
async function fileIds(): Promise<unknown[]> {
  const { data } = (await jsonOf(await api.fetch("/v1/files"))) as { data: { id: string }[] };
  return data.map(({ id }) => id);
}

test("a committed file keeps its bytes", async () => {
  commits.loseNext();
  await expectUnavailable(await createFile());

  const [id] = await fileIds();
  expect(await contentOf(id)).toBe(line);
});

test("a client that retries with its key gets the file of the first commit", async () => {
  const headers = { "idempotency-key": randomUUID() };
  const before = await fileIds();
  commits.loseNext();
  await expectUnavailable(await createFile(headers));

  const again = await createFile(headers);
  const made = await goodJson(again);

  expect(again.headers.get("idempotency-replayed")).toBe("true");
  expect(await fileIds()).toEqual([made.id, ...before]);
  expect(await contentOf(made.id)).toBe(line);
});

test("a client that retries with its key gets the batch of the first commit", async () => {
  const create = (key: string): Promise<Response> =>
    api.fetch("/v1/batches", {
      method: "POST",
      headers: { "idempotency-key": key },
      body: JSON.stringify({ input_file_id: "file-1", endpoint: "/v1/embeddings", completion_window: "24h" }),
    });
  const key = randomUUID();
  commits.loseNext();
  await expectUnavailable(await create(key));

  const again = await create(key);

  expect(again.headers.get("idempotency-replayed")).toBe("true");
  const { data } = (await jsonOf(await api.fetch("/v1/batches"))) as { data: unknown[] };
  expect(data).toEqual([await jsonOf(again)]);
});

test("a client that retries a committed completion gets the file", async () => {
  const upload = await createUpload(Buffer.byteLength(line));
  const part = await addPart(upload.id, line);
  commits.loseNext();
  await expectUnavailable(await complete(upload.id, [part]));

  const completed = await goodJson(await complete(upload.id, [part]));

  expect(await contentOf((completed["file"] as { id: string }).id)).toBe(line);
  expect(commits.lost()).toBe(4);
});
