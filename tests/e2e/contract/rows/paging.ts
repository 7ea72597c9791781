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
/** The number of files that are deleted while an SDK reads the lists. */
const DOOMED = 200;
const AT_ONCE = 16;

/** The lists to read, and the query for each page. */
const WALKS: readonly (readonly ["files" | "batches", Readonly<Record<string, string | number>>])[] = [
  ["files", { purpose: "batch", limit: 30 }],
  ["files", { purpose: "batch", limit: 30, order: "asc" }],
  ["files", { purpose: "batch" }],
  ["batches", { limit: 7 }],
  ["batches", {}],
];

/** Reads one list to its end with the SDK's own paging, and resolves with the ids. */
type Walk = (resource: "files" | "batches", query: Readonly<Record<string, string | number>>) => Promise<string[]>;

/** Calls `work` `count` times, a few calls at a time. The results are not in order. */
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
    // Uploading each file would take a minute, and lists do not depend on the bytes.
    files = await copyFile(stack(), await client.upload(chatLine("a", "?")), FILES + DOOMED);
    doomed.push(...files.filter((_id, index) => index % 6 === 0).slice(0, DOOMED));
    files = files.filter((id) => !doomed.includes(id));
    const wire = createWire(client);
    const create = async (): Promise<string> =>
      (await wire.post("/v1/batches", batchOf("file-1"))).body["id"] as string;
    batches = await many(BATCHES, create);
  });

  /** Reads the lists while files and batches are created and doomed files are deleted, and checks the ids. */
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
