/** Tests invariant 4: a status changes by compare-and-set only, together with its timestamp. */
import { describe, expect, test } from "@jest/globals";
import { BATCH_STATUSES, type BatchStatus, canMove } from "@nightshift/domain";
import { useDatabase } from "@nightshift/testing";
import {
  type BatchMove,
  finishBatch,
  findFile,
  getBatch,
  insertBlob,
  moveBatch,
  type ResultFile,
} from "../src/index.ts";
import { later, newBatch, now, runningBatch, viewOf } from "@nightshift/testing/batches";

const database = useDatabase();

const MOVES: readonly BatchMove[] = [
  { to: "in_progress", upstream: "up", model: "m", inputBlob: "i", indexBlob: "x", total: 7, firstByte: 3 },
  { to: "failed", errors: [{ code: "c", message: "m", param: null, line: 1 }] },
  { to: "finalizing" },
  { to: "cancelling" },
  { to: "completed", outputFileId: "file-o", errorFileId: null },
  { to: "expired", outputFileId: null, errorFileId: "file-e" },
  { to: "cancelled", outputFileId: null, errorFileId: null },
];

async function batchIn(status: BatchStatus): Promise<number> {
  const { batchNo: number } = await newBatch(database.db());
  await database.db().query("update batches set status = $2 where batch_no = $1", [number, status]);
  return number;
}

describe.each(BATCH_STATUSES)("from %s", (from) => {
  test.each(MOVES)("to $to", async (move) => {
    for (const key of ["i", "x"]) await insertBlob(database.db(), { key, bytes: 1, etag: "e" });
    const number = await batchIn(from);
    const before = await getBatch(database.db(), number);

    const isMoved = await moveBatch(database.db(), number, move, later(9));

    expect(isMoved).toBe(canMove(from, move.to));
    const after = await viewOf(database.db(), number);
    if (isMoved) expect(after).toMatchObject({ status: move.to, [`${camel(move.to)}At`]: later(9) });
    else expect(after).toEqual(before);
  });
});

function camel(status: string): string {
  return status.replace(/_(.)/g, (_all, letter: string) => letter.toUpperCase());
}

test("stores the result of the validation with the move", async () => {
  const batch = await runningBatch(database.db(), { total: 9 });

  expect(batch).toMatchObject({
    status: "in_progress",
    model: "small",
    total: 9,
    inputBlob: `inputs/${batch.id}`,
    indexBlob: `indexes/${batch.id}`,
    inProgressAt: now,
  });
});

test("moves a batch once in ten concurrent calls", async () => {
  const { batchNo: number } = await runningBatch(database.db(), { total: 1 });

  const moved = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      moveBatch(database.db(), number, i % 2 === 0 ? { to: "finalizing" } : { to: "cancelling" }, now),
    ),
  );

  expect(moved.filter(Boolean)).toHaveLength(1);
});

test("never sets a timestamp before an earlier one of the batch if a clock is late", async () => {
  const batch = await newBatch(database.db(), { createdAt: later(60), deadline: later(86_400) });

  await moveBatch(database.db(), batch.batchNo, { to: "cancelling" }, now);
  await moveBatch(database.db(), batch.batchNo, { to: "cancelled", outputFileId: null, errorFileId: null }, later(-30));

  expect(await getBatch(database.db(), batch.batchNo)).toMatchObject({
    cancellingAt: later(60),
    cancelledAt: later(60),
  });
});

describe("finishing", () => {
  const resultFile = (tenant: string, id: string): ResultFile => ({
    id,
    tenant,
    purpose: "batch_output",
    filename: `${id}.jsonl`,
    bytes: 12,
    blob: `files/${id}`,
    etag: `etag of ${id}`,
    createdAt: now,
    expiresAt: later(3_600),
  });

  test("keeps the files of one of two concurrent assemblers, and drops the other assembler's files", async () => {
    const batch = await runningBatch(database.db(), { total: 1 });
    await moveBatch(database.db(), batch.batchNo, { to: "finalizing" }, now);
    const attempts = ["a", "b"].map((name) => ({
      batchNo: batch.batchNo,
      to: "completed" as const,
      output: resultFile(batch.tenant, `file-o-${name}`),
      error: resultFile(batch.tenant, `file-e-${name}`),
    }));

    const won = await Promise.all(attempts.map((finish) => finishBatch(database.db(), finish, later(2))));

    expect([...won].sort()).toEqual([false, true]);
    const [winner, loser] = won[0] ? attempts : attempts.toReversed();
    expect(await viewOf(database.db(), batch.batchNo)).toMatchObject({
      status: "completed",
      completedAt: later(2),
      outputFileId: winner?.output.id,
      errorFileId: winner?.error.id,
    });
    const find = (id = ""): ReturnType<typeof findFile> => findFile(database.db(), batch.tenant, id, now);
    expect(await find(winner?.output.id)).toMatchObject({ bytes: 12, etag: winner?.output.etag });
    expect([await find(loser?.output.id), await find(loser?.error.id)]).toEqual([null, null]);
  });

  test("creates no files for a batch without results", async () => {
    const batch = await runningBatch(database.db(), { total: 1 });
    await moveBatch(database.db(), batch.batchNo, { to: "cancelling" }, now);
    const finish = { batchNo: batch.batchNo, to: "cancelled", output: null, error: null } as const;

    expect(await finishBatch(database.db(), { ...finish, to: "completed" }, now)).toBe(false);
    expect(await finishBatch(database.db(), finish, now)).toBe(true);
    expect(await viewOf(database.db(), batch.batchNo)).toMatchObject({ outputFileId: null, errorFileId: null });
  });
});
