/** Tests the statements on files. */
import { beforeAll, expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import { deleteFile, findFile, insertBlob, insertFile, listFiles, type NewFile, withTx } from "../src/index.ts";

const database = useDatabase();
const now = new Date("2026-08-19T12:00:00.250Z");
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);

beforeAll(async () => {
  await database.db().query("insert into tenants (id) values ('one'), ('two')");
});

let created = 0;

async function insert(change: Partial<NewFile> = {}): Promise<NewFile> {
  created += 1;
  const id = `file-${String(created)}`;
  const file = {
    id,
    tenant: "one",
    purpose: "batch",
    filename: "größe.jsonl",
    bytes: 5_000_000_000,
    blob: `files/${id}`,
    createdAt: now,
    expiresAt: null,
    ...change,
  };
  await withTx(database.db(), async (tx) => {
    await insertBlob(tx, { key: file.blob, bytes: file.bytes, etag: `etag of ${id}` });
    await insertFile(tx, file);
  });
  return file;
}

test("finds a file as it was inserted, with the etag of its bytes", async () => {
  const file = await insert({ expiresAt: later(60) });

  expect(await findFile(database.db(), "one", file.id, now)).toEqual({ ...file, etag: `etag of ${file.id}` });
});

test("finds a file until the moment it expires", async () => {
  const { id } = await insert({ expiresAt: later(60) });

  expect(await findFile(database.db(), "one", id, later(59.9))).not.toBeNull();
  expect(await findFile(database.db(), "one", id, later(60))).toBeNull();
});

test("neither finds nor deletes another tenant's file", async () => {
  const { id } = await insert();

  expect(await findFile(database.db(), "two", id, now)).toBeNull();
  expect(await deleteFile(database.db(), "two", id, now)).toBe(false);
  expect(await findFile(database.db(), "one", id, now)).not.toBeNull();
});

test("deletes a file once and keeps its row", async () => {
  const { id } = await insert();

  expect(await deleteFile(database.db(), "one", id, later(1))).toBe(true);
  expect(await deleteFile(database.db(), "one", id, later(1))).toBe(false);
  expect(await findFile(database.db(), "one", id, later(1))).toBeNull();
  const { rows } = await database.db().query("select deleted_at from files where id = $1", [id]);
  expect(rows).toEqual([{ deleted_at: later(1) }]);
});

test("does not delete an expired file", async () => {
  const { id } = await insert({ expiresAt: later(1) });

  expect(await deleteFile(database.db(), "one", id, later(1))).toBe(false);
});

test("lists the tenant's live files in the requested order and says whether there are more", async () => {
  await database.db().query("update files set deleted_at = now()");
  const first = await insert();
  const second = await insert({ purpose: "batch_output" });
  const third = await insert();
  await insert({ tenant: "two" });
  await insert({ expiresAt: now });
  const page = async (request: object) => {
    const found = await listFiles(database.db(), "one", now, {
      limit: 10,
      order: "desc",
      after: null,
      purpose: null,
      ...request,
    });
    return found === null ? null : { ids: found.rows.map(({ id }) => id), hasMore: found.hasMore };
  };

  expect(await page({})).toEqual({ ids: [third.id, second.id, first.id], hasMore: false });
  expect(await page({ order: "asc", limit: 2 })).toEqual({ ids: [first.id, second.id], hasMore: true });
  expect(await page({ order: "asc", after: second.id })).toEqual({ ids: [third.id], hasMore: false });
  expect(await page({ after: second.id, limit: 1 })).toEqual({ ids: [first.id], hasMore: false });
  expect(await page({ purpose: "batch" })).toEqual({ ids: [third.id, first.id], hasMore: false });
  expect(await page({ after: "file-unknown" })).toBeNull();
});

test("continues a list after a deleted file, but not after another tenant's file", async () => {
  const older = await insert();
  const gone = await insert();
  const theirs = await insert({ tenant: "two" });
  await deleteFile(database.db(), "one", gone.id, now);
  const after = (id: string) =>
    listFiles(database.db(), "one", now, { limit: 1, order: "desc", after: id, purpose: null });

  expect((await after(gone.id))?.rows[0]?.id).toBe(older.id);
  expect(await after(theirs.id)).toBeNull();
});
