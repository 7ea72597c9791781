/** The first API key: configured, generated, and created by processes that start together. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { findKey } from "@nightshift/db";
import { makeTemporaryFolder, useDatabase } from "@nightshift/testing";
import { bootstrapKey } from "../src/bootstrap-key.ts";
import { hashKey } from "../src/middleware/authenticate.ts";

const database = useDatabase();
let dataDir: string;

beforeEach(async () => {
  dataDir = path.join(await makeTemporaryFolder("bootstrap"), "data");
  await database.db().query("delete from api_keys");
});
afterEach(async () => {
  await rm(path.dirname(dataDir), { recursive: true });
});

const bootstrap = (configuredKey?: string) =>
  bootstrapKey({ db: database.db(), random: randomBytes, configuredKey, dataDir });

async function hints(): Promise<string[]> {
  const { rows } = await database.db().query<{ hint: string }>("select hint from api_keys order by id");
  return rows.map(({ hint }) => hint);
}

test("adds the configured key for the tenant default once, and writes no key file", async () => {
  expect(await bootstrap("sk-chosen-0123456789")).toBeNull();
  expect(await bootstrap("sk-chosen-0123456789")).toBeNull();

  expect(await findKey(database.db(), hashKey("sk-chosen-0123456789"))).toEqual({
    id: expect.stringMatching(/^key_/),
    tenant: "default",
  });
  expect(await hints()).toEqual(["sk-cho"]);
  await expect(stat(dataDir)).rejects.toMatchObject({ code: "ENOENT" });
});

test("adds a changed key, and the previous one stays valid", async () => {
  await bootstrap("sk-one-0123456789");
  await bootstrap("sk-two-0123456789");

  expect(await findKey(database.db(), hashKey("sk-one-0123456789"))).not.toBeNull();
  expect(await findKey(database.db(), hashKey("sk-two-0123456789"))).not.toBeNull();
});

test("does not restore a revoked key on the next start", async () => {
  await bootstrap("sk-chosen-0123456789");
  await database.db().query("update api_keys set revoked_at = now()");

  await bootstrap("sk-chosen-0123456789");

  expect(await findKey(database.db(), hashKey("sk-chosen-0123456789"))).toBeNull();
});

test("generates the first key, returns it once, and writes it to a file that only its owner can read", async () => {
  const key = await bootstrap();

  expect(key).toMatch(/^sk-nightshift-[\w-]{43}$/);
  expect(await findKey(database.db(), hashKey(key ?? ""))).toEqual({
    id: expect.stringMatching(/^key_/),
    tenant: "default",
  });
  expect(await readFile(path.join(dataDir, "key"), "utf8")).toBe(`${key ?? ""}\n`);
  expect((await stat(path.join(dataDir, "key"))).mode & 0o777).toBe(0o600);
  expect(await bootstrap()).toBeNull();
});

test("replaces an existing key file and its mode", async () => {
  await mkdir(dataDir);
  await writeFile(path.join(dataDir, "key"), "sk-old\n");
  await chmod(path.join(dataDir, "key"), 0o644);

  const key = await bootstrap();

  expect(await readFile(path.join(dataDir, "key"), "utf8")).toBe(`${key ?? ""}\n`);
  expect((await stat(path.join(dataDir, "key"))).mode & 0o777).toBe(0o600);
});

test("generates one key if many processes start together, and its file has that key", async () => {
  const made = (await Promise.all(Array.from({ length: 8 }, () => bootstrap()))).filter((key) => key !== null);

  expect(made).toHaveLength(1);
  expect(await hints()).toHaveLength(1);
  expect(await readFile(path.join(dataDir, "key"), "utf8")).toBe(`${made[0] ?? ""}\n`);
});

test("adds the configured key once if many processes start together", async () => {
  await Promise.all(Array.from({ length: 8 }, () => bootstrap("sk-shared-0123456789")));

  expect(await hints()).toHaveLength(1);
});

test("generates no key if the file cannot be written, and says what to do", async () => {
  await writeFile(dataDir, "in the way");

  await expect(bootstrap()).rejects.toThrow(/cannot be written to .*NIGHTSHIFT_DATA_DIR/s);
  expect(await hints()).toEqual([]);
});
