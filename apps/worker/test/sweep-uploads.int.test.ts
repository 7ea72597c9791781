/** Tests maintenance of uploads: it expires overdue uploads, and deletes the parts of all ended uploads. */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { findUpload, insertBlob, insertPart, insertUpload, lockUpload, markCancelled, withTx } from "@nightshift/db";
import { type ObjectStore, openFolderStore } from "@nightshift/storage";
import { makeTemporaryFolder, useDatabase } from "@nightshift/testing";
import { sweepUploads } from "../src/maintenance/run-maintenance.ts";

const database = useDatabase();
const tenant = `tenant-${randomUUID()}`;
const now = new Date("2026-08-19T12:00:00Z");
let folder: string;
let objects: ObjectStore;

beforeAll(async () => {
  folder = await makeTemporaryFolder("sweep-uploads");
  objects = openFolderStore({ root: folder });
  await objects.ready();
  await database.db().query("insert into tenants (id, weight) values ($1, 1)", [tenant]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Creates a pending upload with that many parts, and returns the keys of the parts. */
async function uploadWith(parts: number, expiresInSeconds: number): Promise<{ id: string; keys: string[] }> {
  const id = `upload_${randomUUID()}`;
  await insertUpload(database.db(), {
    id,
    tenant,
    purpose: "batch",
    filename: "in.jsonl",
    mimeType: "",
    bytes: parts,
    fileExpiresAfterSeconds: null,
    createdAt: now,
    expiresAt: new Date(now.getTime() + expiresInSeconds * 1000),
  });
  const keys: string[] = [];
  for (let part = 0; part < parts; part += 1) {
    const key = `uploads/${id}/${String(part)}`;
    keys.push(key);
    const info = await objects.put(key, Buffer.from("x"));
    await insertBlob(database.db(), { key, ...info });
    await withTx(database.db(), (tx) => insertPart(tx, { id: key, upload: id, bytes: 1, blob: key, createdAt: now }));
  }
  return { id, keys };
}

async function there(keys: readonly string[]): Promise<number> {
  const { rows } = await database.db().query("select key from blobs where key = any($1)", [keys]);
  const heads = await Promise.all(keys.map((key) => objects.head(key)));
  const objectCount = heads.filter((head) => head !== null).length;
  expect(rows).toHaveLength(objectCount);
  return objectCount;
}

async function statusOf(id: string): Promise<string | undefined> {
  return (await findUpload(database.db(), tenant, id, new Date(0)))?.status;
}

test("deletes the parts of expired and ended uploads, and keeps the parts of pending uploads", async () => {
  const [pending, expired, cancelled] = [await uploadWith(2, 1), await uploadWith(2, 0), await uploadWith(2, 60)];
  await withTx(database.db(), async (tx) => {
    await lockUpload(tx, tenant, cancelled.id, now);
    await markCancelled(tx, cancelled.id);
  });

  expect(await sweepUploads({ db: database.db(), objects }, now)).toBe(4);

  expect(await Promise.all([pending, expired, cancelled].map(({ id }) => statusOf(id)))).toEqual([
    "pending",
    "expired",
    "cancelled",
  ]);
  expect(await Promise.all([pending, expired, cancelled].map(({ keys }) => there(keys)))).toEqual([2, 0, 0]);
  expect(await sweepUploads({ db: database.db(), objects }, now)).toBe(0);
});

test("deletes the parts in the next run if the store was unavailable", async () => {
  const { keys } = await uploadWith(1, 0);
  const failing = { ...objects, delete: () => Promise.reject(new Error("unavailable")) };

  await expect(sweepUploads({ db: database.db(), objects: failing }, now)).rejects.toThrow("unavailable");

  expect(await there(keys)).toBe(1);
  await sweepUploads({ db: database.db(), objects }, now);
  expect(await there(keys)).toBe(0);
});
