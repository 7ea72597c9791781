/** Tests retention: maintenance finds and deletes the bytes that nothing needs, and no others. */
import { randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import { BATCH_STATUSES } from "@nightshift/domain";
import { useDatabase } from "@nightshift/testing";
import {
  deleteFile,
  findFile,
  forgetBlobs,
  forgetSegments,
  insertBlob,
  insertFile,
  insertPart,
  insertUpload,
  outputExtents,
  recordFlush,
  sweepableSegments,
  unneededBlobs,
  withTx,
  type SweptSegment,
} from "../src/index.ts";
import { claimedSlice, flushOf, later, newTenant, now, runningBatch, viewOf } from "@nightshift/testing/batches";

const database = useDatabase();

/** Inserts a blob that is older than every minimum age in these tests. */
async function agedBlob(name = `blob-${randomUUID()}`): Promise<string> {
  await insertBlob(database.db(), { key: name, bytes: 1, etag: "e" });
  await age("blobs", "key", name);
  return name;
}

async function age(table: "blobs" | "segments", column: "key", value: string): Promise<void> {
  await database
    .db()
    .query(`update ${table} set created_at = now() - interval '2 hours' where ${column} = $1`, [value]);
}

async function isUnneeded(key: string, at = now): Promise<boolean> {
  return (await unneededBlobs(database.db(), at, 3_600, 1_000)).includes(key);
}

async function fileWith(blob: string, expiresAt: Date | null = null): Promise<{ id: string; tenant: string }> {
  const file = { id: `file-${randomUUID()}`, tenant: await newTenant(database.db()) };
  await insertFile(database.db(), {
    ...file,
    purpose: "batch",
    filename: "in.jsonl",
    bytes: 1,
    blob,
    createdAt: now,
    expiresAt,
  });
  return file;
}

test("deletes a blob without a file once it is old, but not while its upload may be in progress", async () => {
  const fresh = `blob-${randomUUID()}`;
  await insertBlob(database.db(), { key: fresh, bytes: 1, etag: "e" });

  expect(await isUnneeded(fresh)).toBe(false);
  expect(await isUnneeded(await agedBlob())).toBe(true);
});

test("keeps a blob until its file is deleted or has expired", async () => {
  const blob = await agedBlob();
  const file = await fileWith(blob);
  const twin = await fileWith(blob, later(60));
  expect(await isUnneeded(blob)).toBe(false);

  await deleteFile(database.db(), file.tenant, file.id, now);

  expect(await isUnneeded(blob, later(59))).toBe(false);
  expect(await isUnneeded(blob, later(61))).toBe(true);
  expect(await findFile(database.db(), twin.tenant, twin.id, later(59))).toMatchObject({ blob });
});

test.each(BATCH_STATUSES)(
  "keeps the input and the index of a batch in %s unless that status is final",
  async (status) => {
    const batch = await runningBatch(database.db(), { total: 1 });
    const blobs = [batch.inputBlob ?? "", batch.indexBlob ?? ""];
    for (const blob of blobs) await age("blobs", "key", blob);
    await database.db().query("update batches set status = $2 where batch_no = $1", [batch.batchNo, status]);

    const isFinal = ["failed", "completed", "expired", "cancelled"].includes(status);
    expect(await Promise.all(blobs.map((blob) => isUnneeded(blob)))).toEqual([isFinal, isFinal]);
  },
);

test.each(["pending", "cancelled", "expired"])(
  "keeps a part of an upload in %s only if the upload is pending and not expired",
  async (status) => {
    const [blob, id] = [await agedBlob(), randomUUID()];
    await insertUpload(database.db(), {
      id,
      tenant: await newTenant(database.db()),
      purpose: "batch",
      filename: "in.jsonl",
      mimeType: "",
      bytes: 1,
      fileExpiresAfterSeconds: null,
      createdAt: now,
      expiresAt: later(60),
    });
    await withTx(database.db(), (tx) => insertPart(tx, { id, upload: id, bytes: 1, blob, createdAt: now }));
    await database.db().query("update uploads set status = $2 where id = $1", [id, status]);

    expect(await isUnneeded(blob, later(59))).toBe(status !== "pending");
    expect(await isUnneeded(blob, later(60))).toBe(true);

    await forgetBlobs(database.db(), [blob]);
    const { rows } = await database.db().query("select id from upload_parts where upload = $1", [id]);
    expect(rows).toEqual([]);
  },
);

test("keeps the rows of files and batches when their blob is deleted", async () => {
  const batch = await runningBatch(database.db(), { total: 1 });
  const [inputBlob, indexBlob] = [batch.inputBlob ?? "", batch.indexBlob ?? ""];
  const file = await fileWith(inputBlob);

  await forgetBlobs(database.db(), [inputBlob, indexBlob]);

  expect(await viewOf(database.db(), batch.batchNo)).toMatchObject({ inputBlob: null, indexBlob: null });
  expect(await findFile(database.db(), file.tenant, file.id, now)).toBeNull();
  const { rows } = await database.db().query("select blob from files where id = $1", [file.id]);
  expect(rows).toEqual([{ blob: null }]);
});

/** Inserts a segment with one result of each of these batches, which are in progress. */
async function segmentOf(...batches: { batchNo: number; upstream: string }[]): Promise<string> {
  for (const batch of batches) await claimedSlice(database.db(), batch, 1);
  const flush = flushOf(batches.map((batch) => ({ batchNo: batch.batchNo, line: 0 })));
  await recordFlush(database.db(), flush, now);
  const key = flush.segments[0]?.key ?? "";
  await age("segments", "key", key);
  return key;
}

async function sweepable(key: string): Promise<SweptSegment | undefined> {
  return (await sweepableSegments(database.db(), 3_600, 1_000)).find((segment) => segment.key === key);
}

async function finish(batchNo: number, status: string, at: string): Promise<void> {
  await database
    .db()
    .query(`update batches set status = $2, ${status}_at = ${at} where batch_no = $1`, [batchNo, status]);
}

test.each(["completed", "expired", "cancelled"])(
  "deletes a segment once all its batches are %s and old",
  async (status) => {
    const batches = [
      await runningBatch(database.db(), { total: 5 }),
      await runningBatch(database.db(), { total: 5 }),
    ] as const;
    const key = await segmentOf(...batches);
    expect(await sweepable(key)).toBeUndefined();

    await finish(batches[0].batchNo, status, "now() - interval '2 hours'");
    expect(await sweepable(key)).toBeUndefined();

    await finish(batches[1].batchNo, status, "now()");
    expect(await sweepable(key)).toBeUndefined();

    await finish(batches[1].batchNo, status, "now() - interval '2 hours'");
    expect(await sweepable(key)).toMatchObject({ key });
  },
);

test.each(["in_progress", "finalizing", "cancelling"])(
  "keeps a segment of a batch in %s at any age",
  async (status) => {
    const batch = await runningBatch(database.db(), { total: 5 });
    const key = await segmentOf(batch);
    await database.db().query("update batches set status = $2 where batch_no = $1", [batch.batchNo, status]);

    expect(await sweepable(key)).toBeUndefined();
  },
);

test("deletes the extents of a segment together with it, and no others", async () => {
  const batch = await runningBatch(database.db(), { total: 5 });
  const key = await segmentOf(batch);
  const kept = await segmentOf(await runningBatch(database.db(), { total: 5 }));
  await finish(batch.batchNo, "completed", "now() - interval '2 hours'");
  const segment = await sweepable(key);

  await forgetSegments(database.db(), [segment?.id ?? 0]);

  expect(await sweepable(key)).toBeUndefined();
  expect(await outputExtents(database.db(), batch.batchNo)).toEqual([]);
  const { rows } = await database.db().query("select key from segments where key = any($1)", [[key, kept]]);
  expect(rows).toEqual([{ key: kept }]);
});
