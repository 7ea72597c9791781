/** Tests the statements on API keys. */
import { randomBytes } from "node:crypto";
import { beforeEach, expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import { findKey, insertFirstKey, insertKey, type NewKey } from "../src/index.ts";

const database = useDatabase();

beforeEach(async () => {
  await database.db().query("delete from api_keys");
});

const newKey = (tenant = "one"): NewKey => ({ tenant, hash: randomBytes(32), hint: "sk" });

test("finds a key by its hash, and creates its tenant if that is new", async () => {
  const key = newKey("someone new");

  expect(await insertKey(database.db(), key)).toMatchObject({ tenant: key.tenant });
  expect(await findKey(database.db(), key.hash)).toEqual({ id: expect.stringMatching(/^key_/), tenant: "someone new" });
  expect(await findKey(database.db(), randomBytes(32))).toBeNull();
});

test("does not insert an existing key again, not even for another tenant", async () => {
  const key = newKey();
  await insertKey(database.db(), key);

  expect(await insertKey(database.db(), { ...key, tenant: "two" })).toBeNull();
  expect(await findKey(database.db(), key.hash)).toEqual({ id: expect.stringMatching(/^key_/), tenant: "one" });
});

test("does not find a revoked key", async () => {
  const key = newKey();
  await insertKey(database.db(), key);
  await database.db().query("update api_keys set revoked_at = now()");

  expect(await findKey(database.db(), key.hash)).toBeNull();
});

test("creates the first key once, in one of several concurrent calls", async () => {
  const made: NewKey[] = [];
  const ask = () =>
    insertFirstKey(database.db(), async () => {
      const key = newKey();
      made.push(key);
      return key;
    });

  const answers = await Promise.all([ask(), ask(), ask(), ask()]);

  expect(answers.filter(Boolean)).toHaveLength(1);
  expect(made).toHaveLength(1);
  expect(await findKey(database.db(), made[0]!.hash)).toEqual({ id: expect.stringMatching(/^key_/), tenant: "one" });
});

test("leaves no key if creating the first one fails, so that the next call can try", async () => {
  const failed = insertFirstKey(database.db(), () => Promise.reject(new Error("the disk is full")));

  await expect(failed).rejects.toThrow("the disk is full");
  expect(await insertFirstKey(database.db(), async () => newKey())).toBe(true);
});
