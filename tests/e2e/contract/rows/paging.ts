/**
 * Contract §1.5: both official SDKs page through long lists while objects are created and deleted, and see each object
 * once.
 */
import { beforeAll, expect, test } from "@jest/globals";
import { testServices } from "@nightshift/testing";
import OpenAI from "openai";
import { type BatchClient, chatLine, createBatchClient } from "../../batch-client.ts";
import { copyFile } from "../../ledger.ts";
import { batchOf } from "../fixture-batches.ts";
import type { ContractFixture } from "../fixture.ts";
import { createWire } from "../wire.ts";

const FILES = 1_000;
const BATCHES = 250;
/** Files among the others that are deleted while somebody walks. */
const DOOMED = 200;
const AT_ONCE = 16;

/** The lists to walk: whose, and what is asked of each page. */
const WALKS: readonly (readonly ["files" | "batches", Readonly<Record<string, string | number>>])[] = [
  ["files", { purpose: "batch", limit: 30 }],
  ["files", { purpose: "batch", limit: 30, order: "asc" }],
  ["files", { purpose: "batch" }],
  ["batches", { limit: 7 }],
  ["batches", {}],
];

/** Walks one list to its end by the SDK's own paging. */
type Walk = (resource: "files" | "batches", query: Readonly<Record<string, string | number>>) => Promise<string[]>;

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

/** Registers the rows. */
export function pagingRows({ stack, python }: ContractFixture): void {
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
    const create = async (): Promise<string> =>
      (await wire.post("/v1/batches", batchOf("file-1"))).body["id"] as string;
    batches = await many(BATCHES, create);
  });

  /** Walks while files and batches are being made and doomed files go, and looks at what it met. */
  const expectWholeWalks = async (walk: Walk): Promise<void> => {
    const wire = createWire(client);
    let isOver = false;
    let made = 0;
    let removed = 0;
    const comeAndGo = async (): Promise<void> => {
      while (!isOver) {
        await client.upload(chatLine("new", "?"));
        await wire.post("/v1/batches", batchOf("file-1"));
        made += 1;
        const victim = made % 2 === 0 ? doomed.pop() : undefined;
        if (victim === undefined) continue;
        expect((await wire.remove(`/v1/files/${victim}`)).status).toBe(200);
        removed += 1;
      }
    };
    const walkAll = async (): Promise<void> => {
      for (const [resource, query] of WALKS) {
        const ids = await walk(resource, query);
        const met = new Set(ids);
        const lost = (resource === "files" ? files : batches).filter((id) => !met.has(id));
        expect({ resource, query, repeated: ids.length - met.size, lost }).toEqual({
          resource,
          query,
          repeated: 0,
          lost: [],
        });
      }
    };
    const coming = comeAndGo();
    await walkAll().finally(() => {
      isOver = true;
    });
    await coming;

    expect(made).toBeGreaterThan(0);
    expect(removed).toBeGreaterThan(0);
  };

  test("§1.5: the Node SDK pages through 1,000 files and 250 batches and sees each once, while others are created and deleted", async () => {
    const openai = new OpenAI({ apiKey: stack().key, baseURL: `${stack().url}/v1` });

    await expectWholeWalks(async (resource, query) => {
      const ids: string[] = [];
      for await (const { id } of openai[resource].list(query)) ids.push(id);
      return ids;
    });
  });

  if (testServices().python !== null) {
    test("§1.5: the Python SDK pages through 1,000 files and 250 batches and sees each once, while others are created and deleted", async () => {
      await expectWholeWalks(async (resource, query) => {
        const { json } = await python().call(stack().key, "walk", [resource], query);
        return (json?.["ids"] ?? []) as string[];
      });
    });
  }
}
