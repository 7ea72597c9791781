/** Tests that the worker's log lines about a batch contain the id of the request that created the batch. */
import { expect, test } from "@jest/globals";
import { deleteFile } from "@nightshift/db";
import { TOTAL, useClockedBatches, WINDOW_SECONDS } from "./clocked-batches.ts";

const { create, db, logged, now, pass } = useClockedBatches();

const linesOf = (tenant: string) => logged.filter((line) => line["batchId"] === `batch_${tenant}`);

test("logs the request id from validation to the end of the batch", async () => {
  const batch = await create();
  await batch.advance();
  pass(WINDOW_SECONDS);
  await batch.advance();

  const lines = linesOf(batch.tenant);
  expect(lines.map((line) => line["msg"])).toEqual([
    "batch in progress",
    "batch expired; unfinished lines become batch_expired",
    "batch finished",
  ]);
  expect(lines.map((line) => line["requestId"])).toEqual(lines.map(() => `req_${batch.tenant}`));
  expect(lines.at(-1)).toMatchObject({ completed: 0, failed: TOTAL, as: "expired" });
});

test("logs the request id if validation fails the batch", async () => {
  const batch = await create();
  await deleteFile(db(), batch.tenant, batch.fileId, now());
  await batch.advance();

  expect(linesOf(batch.tenant)).toEqual([
    expect.objectContaining({
      msg: "batch failed in validation",
      requestId: `req_${batch.tenant}`,
      errors: 1,
      first: "invalid_request",
    }),
  ]);
  expect((await batch.view()).errors).toEqual([
    {
      code: "invalid_request",
      message: `Cannot find file ${batch.fileId}, or organization ${batch.tenant} does not have access to it.`,
      param: "file_id",
      line: null,
    },
  ]);
});
