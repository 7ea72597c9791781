/** Tests the bytes and the lifetime of result files, whether assembly or the first success of a retry writes them. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type ObjectStore, openFolderStore } from "@nightshift/storage";
import { makeTemporaryFolder, useDatabase } from "@nightshift/testing";
import { writeResultFile } from "../src/steps/assemble/write-result-file.ts";
import { claimedBatch } from "./line-fixture.ts";

const database = useDatabase();
const NOW = new Date("2026-08-20T12:00:00Z");
let objects: ObjectStore;

beforeAll(async () => {
  objects = openFolderStore({ root: await makeTemporaryFolder("result-file") });
});

afterAll(() => objects.close());

test.each([
  ["as long as the batch sets", 7_200, 86_400, "2026-08-20T14:00:00.000Z"],
  ["as long as the configuration sets if the batch sets nothing", null, 86_400, "2026-08-21T12:00:00.000Z"],
  ["without limit if neither sets a lifetime", null, null, undefined],
])("writes a file that lives %s", async (_how, asked, batchFileLifeSeconds, expiresAt) => {
  const view = await (await claimedBatch(database.db(), 1)).view();
  if (view === null) throw new Error("the batch is not there");
  const deps = { db: database.db(), objects, clock: () => NOW, batchFileLifeSeconds };

  const file = await writeResultFile(deps, { ...view, outputExpiresAfterSeconds: asked }, "output", [
    Buffer.from("a\n"),
  ]);

  expect(file).toMatchObject({ purpose: "batch_output", filename: `${view.id}_output.jsonl`, bytes: 2 });
  expect(file.expiresAt?.toISOString()).toBe(expiresAt);
  expect((await objects.read(file.blob)).toString()).toBe("a\n");
});
