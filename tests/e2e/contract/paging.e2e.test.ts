/** Contract §1.5: both official SDKs walk long lists to their end while objects come and go, and meet each once. */
import path from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { availableProfiles, testServices } from "@nightshift/testing";
import OpenAI from "openai";
import { type BatchClient, chatLine, createBatchClient } from "../batch-client.ts";
import { runCommand } from "../command.ts";
import { copyFile } from "../ledger.ts";
import { useStack } from "../use-stack.ts";
import { createWire } from "./wire.ts";

const FILES = 1_000;
const BATCHES = 250;
/** Files among the others that are deleted while somebody walks. */
const DOOMED = 200;
const AT_ONCE = 16;

/** What a walk saw, by the list that it walked. */
type Walk = Readonly<Record<"files" | "oldest_first" | "all_at_once" | "batches" | "batches_by_default", string[]>>;

async function idsOf(pages: AsyncIterable<{ readonly id: string }>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of pages) ids.push(id);
  return ids;
}

/** Does `count` things, a few at a time; what they return is in no order. */
async function many<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) done.push(await work(next++));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return done;
}

describe.each(availableProfiles())("%s", (profile) => {
  const { stack } = useStack({ profile });
  let client: BatchClient;
  let files: string[];
  let batches: string[];
  const doomed: string[] = [];

  beforeAll(async () => {
    client = createBatchClient(stack());
    // Uploading each would take a minute, and lists know nothing of bytes.
    files = await copyFile(stack(), await client.upload(chatLine("a", "?")), FILES + DOOMED);
    doomed.push(...files.filter((_id, index) => index % 6 === 0).slice(0, DOOMED));
    files = files.filter((id) => !doomed.includes(id));
    const wire = createWire(client);
    batches = await many(BATCHES, async () => (await wire.createBatch("file-1")).body["id"] as string);
  });

  /** Walks while files and batches are being made and doomed files go, and looks at what it met. */
  const expectWholeWalk = async (walk: () => Promise<Walk>): Promise<void> => {
    const wire = createWire(client);
    let isOver = false;
    let made = 0;
    let removed = 0;
    const comeAndGo = async (): Promise<void> => {
      while (!isOver) {
        await client.upload(chatLine("new", "?"));
        await wire.createBatch("file-1");
        made += 1;
        const victim = made % 2 === 0 ? doomed.pop() : undefined;
        if (victim === undefined) continue;
        expect((await wire.remove(`/v1/files/${victim}`)).status).toBe(200);
        removed += 1;
      }
    };
    const coming = comeAndGo();
    const seen = await walk().finally(() => {
      isOver = true;
    });
    await coming;

    for (const [name, ids] of Object.entries(seen)) {
      const met = new Set(ids);
      const expected = name.startsWith("batches") ? batches : files;
      expect({ name, repeated: ids.length - met.size }).toEqual({ name, repeated: 0 });
      expect({ name, lost: expected.filter((id) => !met.has(id)) }).toEqual({ name, lost: [] });
    }
    expect(made).toBeGreaterThan(0);
    expect(removed).toBeGreaterThan(0);
  };

  test("§1.5: the Node SDK walks 1,000 files and 250 batches, each once, while others come and go", async () => {
    const openai = new OpenAI({ apiKey: stack().key, baseURL: `${stack().url}/v1` });

    await expectWholeWalk(async () => ({
      files: await idsOf(openai.files.list({ purpose: "batch", limit: 30 })),
      oldest_first: await idsOf(openai.files.list({ purpose: "batch", limit: 30, order: "asc" })),
      all_at_once: await idsOf(openai.files.list({ purpose: "batch" })),
      batches: await idsOf(openai.batches.list({ limit: 7 })),
      batches_by_default: await idsOf(openai.batches.list()),
    }));
  });

  const { python } = testServices();
  if (python === null) test.todo("the Python SDK is left out: there is no Python with openai and requests here");
  else {
    test("§1.5: the Python SDK walks 1,000 files and 250 batches, each once, while others come and go", async () => {
      const script = path.join(import.meta.dirname, "../python/paging.py");
      const run = (): Promise<string> =>
        runCommand(python, [script, `${stack().url}/v1`, stack().key], import.meta.dirname);

      await expectWholeWalk(async () => JSON.parse(await run()) as Walk);
    });
  }
});
