import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openFolderStore } from "../src/folder-store.ts";
import { ObjectNotFoundError, type ObjectStore } from "../src/object-store.ts";
import { objectStoreContract } from "./object-store-contract.ts";
import { chunks, failing, HangingSource } from "./sources.ts";

let root: string;
let store: ObjectStore;

beforeAll(async () => {
  root = path.join(await mkdtemp(path.join(tmpdir(), "nightshift-folder-store-")), "made", "when", "needed");
  store = openFolderStore({ root });
  await store.ready();
});

afterAll(async () => {
  await store.close();
  await rm(path.resolve(root, "../../.."), { recursive: true, force: true });
});

describe("the folder store", () => {
  objectStoreContract(() => store);
});

/** Lists the temporary files of running writes, or of writes that a crash ended. */
async function temporaryFiles(): Promise<string[]> {
  return (await readdir(path.join(root, "~writing"))).filter((name) => name !== "probe");
}

test("writes that fail or are aborted leave no temporary file", async () => {
  const source = new HangingSource(chunks(2, 1_000));
  const abort = new AbortController();
  const aborted = store.putStream("leaves/nothing", source, abort.signal);
  await source.hanging;
  expect(await temporaryFiles()).toHaveLength(1);

  abort.abort(new Error("aborted"));
  await expect(aborted).rejects.toThrow("aborted");
  await expect(store.putStream("leaves/nothing", failing(chunks(2, 1_000), new Error("failed")))).rejects.toThrow(
    "failed",
  );

  expect(await temporaryFiles()).toEqual([]);
  expect(existsSync(path.join(root, "leaves"))).toBe(false);
});

test("joins that fail or are aborted leave no temporary file", async () => {
  const source = new HangingSource(chunks(2, 1_000));
  const abort = new AbortController();
  const aborted = store.join("leaves/nothing", source, abort.signal);
  await source.hanging;
  expect(await temporaryFiles()).toHaveLength(1);

  abort.abort(new Error("aborted"));
  await expect(aborted).rejects.toThrow("aborted");
  await expect(store.join("leaves/nothing", failing(chunks(2, 1_000), new Error("failed")))).rejects.toThrow("failed");
  await expect(store.join("leaves/nothing", [{ key: "no/object", offset: 0, length: 1 }])).rejects.toThrow("no/object");

  expect(await temporaryFiles()).toEqual([]);
  expect(existsSync(path.join(root, "leaves"))).toBe(false);
});

test("ready removes the leftovers of a crash, but not the files that another process is writing", async () => {
  const old = path.join(root, "~writing", "00000000-of-a-crash");
  const fresh = path.join(root, "~writing", "11111111-of-a-writer");
  await writeFile(old, "half an obj");
  await writeFile(fresh, "half an obj");
  const threeHoursAgo = new Date(Date.now() - 3 * 60 * 60 * 1_000);
  await utimes(old, threeHoursAgo, threeHoursAgo);

  await store.ready();

  expect(await temporaryFiles()).toEqual([path.basename(fresh)]);
  await rm(fresh);
});

test("temporary files are not objects", async () => {
  const source = new HangingSource(chunks(1, 10));
  const abort = new AbortController();
  const written = store.putStream("hidden/object", source, abort.signal);
  await source.hanging;

  const keys: string[] = [];
  for await (const key of store.list("")) keys.push(key);

  expect(keys.filter((key) => key.includes("writing") || key.startsWith("hidden"))).toEqual([]);
  abort.abort(new Error("seen enough"));
  await expect(written).rejects.toThrow("seen enough");
});

test("deleting the last object of a folder deletes the folder", async () => {
  await store.put("batches/1/segments/a", Buffer.from("x"));
  await store.put("batches/2", Buffer.from("x"));

  await store.delete(["batches/1/segments/a"]);

  expect(await readdir(path.join(root, "batches"))).toEqual(["2"]);
});

test("a write succeeds although the folder of its object is removed during the write", async () => {
  const names = Array.from({ length: 8 }, (_, index) => `busy/folder/${String(index)}`);

  await Promise.all(
    names.map(async (key) => {
      for (let round = 0; round < 30; round += 1) {
        await store.put(key, Buffer.from("x"));
        await store.delete([key]);
      }
    }),
  );

  expect(existsSync(path.join(root, "busy"))).toBe(false);
});

test("a folder is not an object, and cannot be replaced by one", async () => {
  await store.put("tree/leaf", Buffer.from("x"));

  await expect(store.put("tree", Buffer.from("x"))).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
  await expect(store.read("tree")).rejects.toThrow(ObjectNotFoundError);
  await expect(store.read("tree/leaf/below")).rejects.toThrow(ObjectNotFoundError);
  expect(await store.head("tree")).toBeNull();
  await store.delete(["tree"]);
  expect((await store.read("tree/leaf")).toString()).toBe("x");
  expect(await temporaryFiles()).toEqual([]);
});

test("two processes on one folder see each other's objects", async () => {
  const other = openFolderStore({ root });

  await other.put("shared/object", Buffer.from("from the other"));

  expect((await store.read("shared/object")).toString()).toBe("from the other");
});

test("ready rejects with the reason when the root cannot be created", async () => {
  const blocked = path.join(root, "..", "a-file");
  await mkdir(path.dirname(blocked), { recursive: true });
  await writeFile(blocked, "");

  await expect(openFolderStore({ root: path.join(blocked, "objects") }).ready()).rejects.toThrow(/ENOTDIR/);
});
