/**
 * The conveniences that each SDK adds to the calls of the contract: streamed files, waiting for a file, and files split
 * into parts.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { testServices } from "@nightshift/testing";
import OpenAI from "openai";
import { chatLine, createBatchClient } from "../../batch-client.ts";
import type { ContractFixture } from "../fixture.ts";

const TEXT = Array.from({ length: 3 }, (_, at) => `${chatLine(String(at), "Q?")}\n`).join("");
const COMPLETED = { status: "completed", request_counts: { total: 3, completed: 3, failed: 0 } };

/** Registers the rows. */
export function convenienceRows({ stack, python }: ContractFixture): void {
  let folder: string;
  let source: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "nightshift-sdk-"));
    source = path.join(folder, "questions.jsonl");
    await writeFile(source, TEXT);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const expectToRun = async (fileId: unknown): Promise<void> => {
    const client = createBatchClient(stack());
    const { id } = await client.create(String(fileId));
    expect(await client.finished(id)).toMatchObject(COMPLETED);
  };

  test("the Node SDK streams a file, waits for it, and reads its text", async () => {
    const openai = new OpenAI({ apiKey: stack().key, baseURL: `${stack().url}/v1` });

    const file = await openai.files.create({ file: createReadStream(source), purpose: "batch" });
    const processed = await openai.files.waitForProcessing(file.id);
    const text = await (await openai.files.content(file.id)).text();

    expect(processed).toMatchObject({ filename: "questions.jsonl", purpose: "batch", status: "processed" });
    expect(text).toBe(TEXT);
    await expectToRun(file.id);
  });

  if (testServices().python !== null) {
    test("the Python SDK uploads a file from a path and waits for it", async () => {
      const file = await python().call(stack().key, "files.create", [], { file: { $path: source }, purpose: "batch" });
      const processed = await python().call(stack().key, "files.wait_for_processing", [file.json?.["id"]]);

      expect(processed.json).toMatchObject({ filename: "questions.jsonl", purpose: "batch", status: "processed" });
      await expectToRun(file.json?.["id"]);
    });

    test("the Python SDK uploads a file in parts, and the file is whole", async () => {
      const { json } = await python().call(stack().key, "uploads.upload_file_chunked", [], {
        file: { $path: source },
        mime_type: "application/jsonl",
        purpose: "batch",
        part_size: 100,
        md5: createHash("md5").update(TEXT).digest("hex"),
      });
      const { id } = json?.["file"] as { readonly id: string };

      expect(json).toMatchObject({ status: "completed", file: { filename: "questions.jsonl", purpose: "batch" } });
      expect((await createBatchClient(stack()).content(id)).toString()).toBe(TEXT);
      await expectToRun(id);
    });
  }
}
