/** Tests that maintenance deletes objects without a row after a week, and no other objects. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type ObjectStore, openFolderStore } from "@nightshift/storage";
import { makeTemporaryFolder, useDatabase } from "@nightshift/testing";
import { deleteStrayObjects } from "../src/maintenance/stray-objects.ts";

const database = useDatabase();
const NOW = new Date("2026-08-20T12:00:00Z");
let objects: ObjectStore;

beforeAll(async () => {
  objects = openFolderStore({ root: await makeTemporaryFolder("stray") });
});

afterAll(() => objects.close());

async function segment(day: string, isRecorded: boolean): Promise<string> {
  const key = `segments/${day}/${randomUUID()}`;
  await objects.put(key, Buffer.from("x"));
  if (isRecorded) await database.db().query("insert into segments (key, bytes) values ($1, 1)", [key]);
  return key;
}

test("deletes an unrecorded segment after a week, and keeps recorded and younger ones", async () => {
  const strays = [await segment("2026-08-13", false), await segment("2026-08-07", false)];
  const kept = [
    await segment("2026-08-13", true),
    await segment("2026-08-14", false),
    await segment("2026-08-20", false),
  ];

  expect(await deleteStrayObjects({ db: database.db(), objects, clock: () => NOW })).toBe(2);

  for (const key of strays) expect(await objects.head(key)).toBeNull();
  for (const key of kept) expect(await objects.head(key)).not.toBeNull();
  expect(await deleteStrayObjects({ db: database.db(), objects, clock: () => NOW })).toBe(0);
});
