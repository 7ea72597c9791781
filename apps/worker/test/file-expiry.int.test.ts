/**
 * Tests files that expire or are deleted before, during and after their batches, with an injected clock. Maintenance
 * deletes the bytes only when no batch needs them.
 */
import { expect, test } from "@jest/globals";
import { deleteFile, findFile } from "@nightshift/db";
import { type ClockedBatch, FILE_LIFE_SECONDS, HANDED_OUT, TOTAL, useClockedBatches } from "./clocked-batches.ts";

const { create, db, now, objects, pass, maintenance } = useClockedBatches();

const DAY_SECONDS = 86_400;

async function isStored(key: string): Promise<boolean> {
  for await (const stored of objects().list("")) if (stored === key) return true;
  return false;
}

async function hasRow(fileId: string): Promise<boolean> {
  return (await db().query("select 1 from files where id = $1", [fileId])).rowCount === 1;
}

async function finish(batch: ClockedBatch): Promise<void> {
  for (let done = 0; done < TOTAL; done += HANDED_OUT) {
    await batch.answer(await batch.claim(HANDED_OUT));
    await batch.feedMore();
  }
  await batch.advance();
}

/** The two ways to remove an input file. */
const REMOVALS: readonly (readonly [string, (batch: ClockedBatch) => Promise<void>])[] = [
  [
    "expires",
    () => {
      pass(3_600);
      return Promise.resolve();
    },
  ],
  [
    "is deleted",
    async (batch) => {
      expect(await deleteFile(db(), batch.tenant, batch.fileId, now())).toBe(true);
    },
  ],
];

test.each(REMOVALS)("fails a batch whose input file %s before validation", async (_how, go) => {
  const batch = await create({ fileSeconds: 3_600 });
  await go(batch);

  await batch.advance();

  expect(await batch.view()).toMatchObject({
    status: "failed",
    failedAt: now(),
    inProgressAt: null,
    errors: [
      {
        code: "invalid_request",
        message: expect.stringContaining(`Cannot find file ${batch.fileId}`),
        param: "file_id",
        line: null,
      },
    ],
  });
});

test("keeps the bytes of a deleted input file until validation has failed its batch", async () => {
  const batch = await create();
  await deleteFile(db(), batch.tenant, batch.fileId, now());

  await maintenance();
  expect(await isStored(batch.blob)).toBe(true);
  await batch.advance();
  await maintenance();

  expect(await isStored(batch.blob)).toBe(false);
});

test.each(REMOVALS)(
  "keeps the bytes of an input file that %s while its batch is in progress, until the batch ends",
  async (_how, go) => {
    const batch = await create({ fileSeconds: 3_600 });
    await batch.advance();
    await batch.answer(await batch.claim(1));

    await go(batch);
    await maintenance();
    expect(await findFile(db(), batch.tenant, batch.fileId, now())).toBeNull();
    expect(await isStored(batch.blob)).toBe(true);
    await finish(batch);
    await maintenance();

    const { outputFileId, status, completed } = await batch.view();
    expect({ status, completed }).toEqual({ status: "completed", completed: TOTAL });
    expect(await batch.lines(outputFileId)).toHaveLength(TOTAL);
    expect(await isStored(batch.blob)).toBe(false);
    // The row stays for a day, because clients may still use the file as the cursor of a list.
    expect(await hasRow(batch.fileId)).toBe(true);
    pass(DAY_SECONDS);
    await maintenance();
    expect(await hasRow(batch.fileId)).toBe(false);
    expect(await batch.view()).toMatchObject({ inputFileId: batch.fileId, status: "completed" });
  },
);

test.each([
  ["the configuration", {}, FILE_LIFE_SECONDS],
  ["its batch", { outputSeconds: 7_200 }, 7_200],
])("expires an output file after the lifetime set by %s, and deletes its bytes", async (_who, options, seconds) => {
  const batch = await create({ ...options, fileSeconds: 10 * FILE_LIFE_SECONDS });
  await batch.advance();
  pass(600);
  await finish(batch);
  const { outputFileId } = await batch.view();
  const output = outputFileId === null ? null : await findFile(db(), batch.tenant, outputFileId, now());
  expect(output?.expiresAt).toEqual(new Date(now().getTime() + seconds * 1_000));
  const { id = "", blob = "" } = output ?? {};

  pass(seconds - 1);
  await maintenance();
  expect(await findFile(db(), batch.tenant, id, now())).toMatchObject({ blob });
  expect(await isStored(blob)).toBe(true);

  pass(1);
  expect(await findFile(db(), batch.tenant, id, now())).toBeNull();
  await maintenance();
  expect(await isStored(blob)).toBe(false);
  expect(await isStored(batch.blob)).toBe(true);
  expect(await batch.view()).toMatchObject({ status: "completed", outputFileId });
});
