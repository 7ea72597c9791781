/** The official Node SDK against every profile: what its users call, and that it understands each answer. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { availableProfiles, until } from "@nightshift/testing";
import OpenAI, { AuthenticationError, BadRequestError, ConflictError, NotFoundError, toFile } from "openai";
import { chatLine } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

/** Every key that the wire has, whatever its value: contract of the File, Upload and Batch objects. */
const FILE_KEYS = [
  "object",
  "id",
  "purpose",
  "filename",
  "bytes",
  "created_at",
  "expires_at",
  "status",
  "status_details",
];
const UPLOAD_KEYS = ["id", "object", "bytes", "created_at", "filename", "purpose", "status", "expires_at", "file"];
const BATCH_KEYS = [
  ...["id", "object", "endpoint", "model", "errors", "input_file_id", "completion_window", "status", "output_file_id"],
  ...["error_file_id", "created_at", "in_progress_at", "expires_at", "finalizing_at", "completed_at", "failed_at"],
  ...["expired_at", "cancelling_at", "cancelled_at", "request_counts", "usage", "metadata"],
];

async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of pages) all.push(one);
  return all;
}

describe.each(availableProfiles())("%s", (profile) => {
  const { stack } = useStack({ profile });
  let openai: OpenAI;

  beforeAll(() => {
    openai = new OpenAI({ apiKey: stack().key, baseURL: `${stack().url}/v1` });
  });

  const finished = (id: string): Promise<OpenAI.Batch> =>
    until(
      async () => {
        const batch = await openai.batches.retrieve(id);
        return ["completed", "failed", "cancelled", "expired"].includes(batch.status) && batch;
      },
      { message: `${id} is final`, timeoutMs: 60_000, everyMs: 100 },
    );
  const upload = (lines: readonly string[]): Promise<OpenAI.FileObject> =>
    openai.files.create({ file: new File([lines.join("\n")], "input.jsonl"), purpose: "batch" });

  test("a streamed file goes from upload to results and is deleted", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "nightshift-sdk-"));
    const source = path.join(folder, "questions.jsonl");
    await writeFile(source, `${chatLine("a", "One?")}\n${chatLine("b", "Two?")}\n`);

    const file = await openai.files.create({ file: createReadStream(source), purpose: "batch" });
    await rm(folder, { recursive: true });
    const processed = await openai.files.waitForProcessing(file.id);
    const created = await openai.batches.create({
      input_file_id: file.id,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
      metadata: { job: "nightly" },
    });
    const batch = await finished(created.id);
    const text = await (await openai.files.content(batch.output_file_id ?? "")).text();
    const output = await openai.files.retrieve(batch.output_file_id ?? "");
    const deleted = await openai.files.delete(output.id);

    expect(processed).toMatchObject({ filename: "questions.jsonl", purpose: "batch", status: "processed" });
    expect(Object.keys(file).filter((key) => !key.startsWith("_"))).toEqual(FILE_KEYS);
    expect(Object.keys(created).filter((key) => !key.startsWith("_"))).toEqual(BATCH_KEYS);
    expect(created.expires_at).toBe(created.created_at + 86_400);
    expect(batch).toMatchObject({ status: "completed", metadata: { job: "nightly" }, model: "gpt-4" });
    expect(batch.request_counts).toEqual({ total: 2, completed: 2, failed: 0 });
    expect(batch.usage?.total_tokens).toBeGreaterThan(0);
    expect(
      text
        .split("\n")
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { custom_id: string }).custom_id),
    ).toEqual(["a", "b"]);
    expect(output).toMatchObject({
      purpose: "batch_output",
      filename: `${batch.id}_output.jsonl`,
      bytes: Buffer.byteLength(text),
    });
    expect(deleted).toMatchObject({ id: output.id, object: "file", deleted: true });
    await expect(openai.files.delete(output.id)).rejects.toThrow(NotFoundError);
    await expect(openai.files.content(output.id)).rejects.toThrow(NotFoundError);
  });

  test("a file that was sent in parts runs as a batch; an upload can be cancelled", async () => {
    const text = `${chatLine("a", "One?")}\n${chatLine("b", "Two?")}\n`;
    const [begin, end] = [text.slice(0, 100), text.slice(100)];
    const about = { filename: "parts.jsonl", purpose: "batch", mime_type: "application/jsonl" } as const;
    const upload = await openai.uploads.create({ ...about, bytes: Buffer.byteLength(text) });
    const [second, first] = await Promise.all(
      [end, begin].map(async (part) =>
        openai.uploads.parts.create(upload.id, { data: await toFile(Buffer.from(part), "part") }),
      ),
    );

    const completed = await openai.uploads.complete(upload.id, {
      part_ids: [first?.id ?? "", second?.id ?? ""],
      md5: createHash("md5").update(text).digest("hex"),
    });
    const created = await openai.batches.create({
      input_file_id: completed.file?.id ?? "",
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    });
    const batch = await finished(created.id);
    const other = await openai.uploads.create({ ...about, bytes: 1 });
    const cancelled = await openai.uploads.cancel(other.id);

    expect(Object.keys(upload).filter((key) => !key.startsWith("_"))).toEqual(UPLOAD_KEYS);
    expect(upload).toMatchObject({ status: "pending", file: null, expires_at: upload.created_at + 3600 });
    expect(first).toMatchObject({ object: "upload.part", upload_id: upload.id });
    expect(completed).toMatchObject({ id: upload.id, status: "completed", file: { filename: "parts.jsonl" } });
    expect(Object.keys(completed.file ?? {})).toEqual(FILE_KEYS);
    expect(await (await openai.files.content(completed.file?.id ?? "")).text()).toBe(text);
    expect(batch).toMatchObject({ status: "completed", request_counts: { total: 2, completed: 2, failed: 0 } });
    expect(cancelled).toMatchObject({ id: other.id, status: "cancelled", file: null });
    await expect(openai.uploads.complete(other.id, { part_ids: [] })).rejects.toThrow(BadRequestError);
    await expect(openai.uploads.cancel("upload_00000000000000000000000000000000")).rejects.toThrow(NotFoundError);
  });

  test("lists are paged through to the end, newest first, each object once", async () => {
    const files = await Promise.all(
      Array.from({ length: 25 }, async (_, index) =>
        openai.files.create({
          file: await toFile(Buffer.from(chatLine(`only-${String(index)}`, "?")), `page-${String(index)}.jsonl`),
          purpose: "batch",
          expires_after: { anchor: "created_at", seconds: 3600 },
        }),
      ),
    );
    const batches = await Promise.all(
      files.map(({ id }) =>
        openai.batches.create({ input_file_id: id, endpoint: "/v1/chat/completions", completion_window: "24h" }),
      ),
    );

    const listedFiles = await collect(openai.files.list({ limit: 10, purpose: "batch" }));
    const listedBatches = await collect(openai.batches.list({ limit: 10 }));
    const firstPage = await openai.batches.list({ limit: 10 });

    const ids = (objects: readonly { readonly id: string }[]): string[] => objects.map(({ id }) => id);
    expect(ids(listedFiles)).toEqual(expect.arrayContaining(ids(files)));
    expect(ids(listedBatches)).toEqual(expect.arrayContaining(ids(batches)));
    expect(new Set(ids(listedFiles)).size).toBe(listedFiles.length);
    expect(new Set(ids(listedBatches)).size).toBe(listedBatches.length);
    expect(listedBatches.map((batch) => batch.created_at)).toEqual(
      listedBatches.map((batch) => batch.created_at).sort((a, b) => b - a),
    );
    expect(firstPage.data).toHaveLength(10);
    expect(firstPage.has_more).toBe(true);
    expect(files[0]?.expires_at).toBe((files[0]?.created_at ?? 0) + 3600);
    await Promise.all(ids(batches).map(finished));
  });

  test("a batch with a bad line fails and says which", async () => {
    const file = await upload([chatLine("a", "One?"), "{this is not JSON"]);

    const created = await openai.batches.create({
      input_file_id: file.id,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    });
    const batch = await finished(created.id);

    expect(batch).toMatchObject({ status: "failed", output_file_id: null, error_file_id: null });
    expect(batch.errors?.data).toEqual([expect.objectContaining({ code: "invalid_json_line", line: 2 })]);
  });

  test("faults of the caller become the SDK's own errors", async () => {
    const stranger = new OpenAI({ apiKey: "sk-wrong", baseURL: `${stack().url}/v1` });
    const file = await upload([chatLine("a", "One?")]);
    const batch = await openai.batches.create({
      input_file_id: file.id,
      endpoint: "/v1/chat/completions",
      completion_window: "24h",
    });
    await finished(batch.id);

    await expect(stranger.batches.list()).rejects.toThrow(AuthenticationError);
    await expect(openai.batches.retrieve("batch_00000000000000000000000000000000")).rejects.toThrow(NotFoundError);
    await expect(
      openai.batches.create({
        input_file_id: file.id,
        endpoint: "/v1/chat/completions",
        completion_window: "1h" as "24h",
      }),
    ).rejects.toThrow(BadRequestError);
    await expect(openai.batches.cancel(batch.id)).rejects.toThrow(ConflictError);
  });
});
