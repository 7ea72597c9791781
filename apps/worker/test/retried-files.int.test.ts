/** Tests retries of a finished batch and its files: files deleted by their owner, lost commits, many lines. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Db, deleteFile, findFile, listBatchHistory, openDb } from "@nightshift/db";
import { type ObjectStore, openFolderStore } from "@nightshift/storage";
import { openS3Store } from "@nightshift/storage/s3";
import { makeTemporaryFolder, testServices, useDatabase, useLostCommits } from "@nightshift/testing";
import { customId, type RetriedBatch, retriedBatch, resultOf } from "./retried-batch.ts";

const database = useDatabase();
const commits = useLostCommits();
const { s3 } = testServices();
const now = new Date();
const clock = (): Date => now;
const db = (): Db => database.db();

let folder: ObjectStore;
let root: string;
beforeAll(async () => {
  root = await makeTemporaryFolder("retries");
  folder = openFolderStore({ root });
  await folder.ready();
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Creates a completed batch of four lines, of which the given ones failed. */
async function completed(failed: readonly number[]): Promise<RetriedBatch> {
  const batch = await retriedBatch({ db: db(), objects: folder, clock }, 4);
  const lines = [0, 1, 2, 3];
  await batch.record(
    lines.filter((line) => !failed.includes(line)),
    "output",
    "first",
  );
  await batch.record(failed, "error", "first");
  await batch.assemble();
  return batch;
}

async function remove(batch: RetriedBatch, kind: "outputFileId" | "errorFileId"): Promise<void> {
  const view = await batch.view();
  expect(await deleteFile(db(), view.tenant, view[kind] ?? "", now)).toBe(true);
}

/** Returns how many times the batch's files were rebuilt. */
async function rebuilds(batchNo: number): Promise<number> {
  const history = await listBatchHistory(db(), batchNo, { limit: 100, after: null });
  return history?.rows.filter(({ what }) => what === "files_rebuilt").length ?? 0;
}

const sorted = (lines: readonly (readonly [number, "output" | "error", string])[]): string =>
  lines.map((line) => resultOf(...line).toString()).join("");

describe("an error file that its owner deleted", () => {
  test("is removed from the batch when the last failed line has succeeded", async () => {
    const batch = await completed([3]);
    await remove(batch, "errorFileId");
    await batch.ask([3]);
    await batch.record([3], "output", "second");

    expect(await batch.publish()).toBe(true);

    const view = await batch.view();
    expect(view).toMatchObject({ completed: 4, failed: 0, errorFileId: null });
    expect((await batch.content(view.outputFileId)).toString()).toBe(
      sorted([0, 1, 2].map((line) => [line, "output", "first"] as const)) + sorted([[3, "output", "second"]]),
    );
  });

  test("stays deleted, and stays on the batch, while it has failed lines", async () => {
    const batch = await completed([2, 3]);
    const { errorFileId, tenant } = await batch.view();
    await remove(batch, "errorFileId");
    await batch.ask([2, 3]);
    await batch.record([2], "output", "second");
    await batch.record([3], "error", "second");

    expect(await batch.publish()).toBe(true);
    expect(await batch.view()).toMatchObject({ completed: 3, failed: 1, errorFileId });
    expect(await findFile(db(), tenant, errorFileId ?? "", now)).toBeNull();
    await batch.ask([3]);
    await batch.record([3], "output", "third");
    expect(await batch.publish()).toBe(true);

    expect(await batch.view()).toMatchObject({ completed: 4, failed: 0, errorFileId: null });
  });

  test.each([
    ["the last failed line", [3], "output" as const, null],
    ["a line that fails again", [2, 3], "error" as const, "kept"],
  ])("during the rebuild for %s is not written by the next publication", async (_what, failed, kind, named) => {
    const batch = await completed(failed);
    const { errorFileId } = await batch.view();
    await batch.ask([3]);
    await batch.record([3], kind, "second");
    // The file is deleted after the batch is read and before its files change.
    const query = db().query.bind(db());
    const connect = async () => {
      await remove(batch, "errorFileId");
      return db().connect();
    };
    const late = { query, connect } as unknown as Db;

    expect(await batch.publish({ db: late })).toBe(false);
    expect(await batch.publish()).toBe(true);

    const after = await batch.view();
    expect(after.failed).toBe(kind === "output" ? 0 : failed.length);
    expect(after.errorFileId).toBe(named === null ? null : errorFileId);
  });
});

test("counts retries that succeed after the owner deleted the output file, and writes no file for them", async () => {
  const batch = await completed([3]);
  const { outputFileId } = await batch.view();
  await batch.ask([3]);
  await remove(batch, "outputFileId");
  await batch.record([3], "output", "second");

  expect(await batch.publish()).toBe(true);

  expect(await batch.view()).toMatchObject({ completed: 4, failed: 0, outputFileId, errorFileId: null });
  expect(await batch.ask([3])).toEqual({ outcome: "file_gone", file: "output" });
});

describe("a commit whose reply is lost", () => {
  let lossy: Db;
  beforeAll(() => {
    lossy = openDb({ url: commits.through(database.url()), max: 2 });
  });
  afterAll(() => lossy.end());

  test("keeps the files of a batch that ends, and assembles them once", async () => {
    const batch = await retriedBatch({ db: db(), objects: folder, clock }, 2);
    await batch.record([0], "output", "first");
    await batch.record([1], "error", "first");
    commits.loseNext();

    await expect(batch.assemble({ db: lossy })).rejects.toThrow(/connection/i);

    const view = await batch.view();
    expect(view).toMatchObject({ status: "completed", completed: 1, failed: 1 });
    expect((await batch.content(view.outputFileId)).toString()).toBe(sorted([[0, "output", "first"]]));
    expect((await batch.content(view.errorFileId)).toString()).toBe(sorted([[1, "error", "first"]]));
    // The second assembly loses: it deletes its own objects, and not the objects of the batch.
    expect(await batch.assemble()).toBe(false);
    expect(await batch.view()).toEqual(view);
    expect((await batch.content(view.outputFileId)).toString()).toBe(sorted([[0, "output", "first"]]));
  });

  test("keeps the rebuilt files, and publishes nothing twice", async () => {
    const batch = await completed([3]);
    const before = await batch.view();
    await batch.ask([3]);
    await batch.record([3], "output", "second");
    commits.loseNext();

    await expect(batch.publish({ db: lossy })).rejects.toThrow(/connection/i);
    expect(await batch.publish()).toBe(false);

    const view = await batch.view();
    expect(view).toMatchObject({ completed: 4, failed: 0, errorFileId: null, outputFileId: before.outputFileId });
    expect((await batch.content(view.outputFileId)).toString()).toContain(sorted([[3, "output", "second"]]));
    expect(await rebuilds(view.batchNo)).toBe(1);
  });
});

const stores: [string, () => Promise<ObjectStore>][] = [["a folder", () => Promise.resolve(folder)]];
if (s3 !== null) {
  stores.push(["S3", () => Promise.resolve(openS3Store({ ...s3, bucket: `retries-${randomUUID()}` }))]);
}

describe.each(stores)("a batch of 50,000 lines with an output over 8 MiB in %s", (_store, open) => {
  test("appends 500 retried lines in one publication, in the order in which they were recorded", async () => {
    const objects = await open();
    await objects.ready();
    const total = 50_000;
    const batch = await retriedBatch({ db: db(), objects, clock }, total);
    const retried = Array.from({ length: 500 }, (_, i) => i * 100 + 7);
    const failed = new Set([...retried, 3]);
    // Several flushes, as workers record them. No flush has neighbouring lines.
    const good = Array.from({ length: total }, (_, line) => line).filter((line) => !failed.has(line));
    const half = Math.floor(good.length / 2);
    await batch.record(good.slice(half), "output", "x".repeat(60));
    await batch.record(good.slice(0, half), "output", "x".repeat(60));
    await batch.record([...failed], "error", "first");
    await batch.assemble();
    const before = await batch.view();
    const oldOutput = await batch.content(before.outputFileId);
    expect(oldOutput.length).toBeGreaterThan(8 * 1024 * 1024);
    expect(customIdsOf(oldOutput)).toBe([...good.slice(half), ...good.slice(0, half)].map(customId).join());

    await batch.ask([...failed]);
    // The last lines are recorded first, and one line fails again.
    const arrived = retried.toReversed();
    for (let from = 0; from < arrived.length; from += 100) {
      await batch.record(arrived.slice(from, from + 100), "output", `come ${String(from)}`);
    }
    await batch.record([3], "error", "second");
    expect(await batch.publish()).toBe(true);
    expect(await batch.publish()).toBe(false);

    const after = await batch.view();
    const output = await batch.content(after.outputFileId);
    expect(after).toMatchObject({
      outputFileId: before.outputFileId,
      errorFileId: before.errorFileId,
      completed: total - 1,
      failed: 1,
    });
    expect(output.subarray(0, oldOutput.length).equals(oldOutput)).toBe(true);
    expect(customIdsOf(output.subarray(oldOutput.length))).toBe(arrived.map(customId).join());
    expect((await batch.content(after.errorFileId)).toString()).toBe(sorted([[3, "error", "second"]]));
    expect(await rebuilds(after.batchNo)).toBe(1);
  });
});

function customIdsOf(content: Buffer): string {
  return [...content.toString("latin1").matchAll(/"custom_id": "([^"]*)"/g)].map((match) => match[1]).join();
}
