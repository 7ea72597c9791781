/** Tests the statements on tenants: tiers, weights, requests per minute, stored bytes. */
import { randomUUID } from "node:crypto";
import { expect, test } from "@jest/globals";
import { useDatabase } from "@nightshift/testing";
import {
  deleteFile,
  findTenant,
  insertBlob,
  insertFile,
  listTenants,
  setTenant,
  storedBytes,
  takeRequests,
} from "../src/index.ts";
import { later, newTenant, now } from "@nightshift/testing/batches";

const database = useDatabase();
const db = () => database.db();

test("changes only the given fields, and only of the given tenant", async () => {
  const tenant = await newTenant(db());
  const other = await newTenant(db());

  expect(await setTenant(db(), tenant, { tier: "free" })).toMatchObject({ id: tenant, tier: "free", weight: 1 });
  expect(await setTenant(db(), tenant, { weight: 2.5 })).toMatchObject({ tier: "free", weight: 2.5 });
  expect(await setTenant(db(), tenant, { tier: null })).toMatchObject({ tier: null, weight: 2.5 });
  expect(await setTenant(db(), tenant, {})).toEqual(await findTenant(db(), tenant));
  expect(await findTenant(db(), other)).toMatchObject({ tier: null, weight: 1 });
  expect(await setTenant(db(), "nobody", { weight: 2 })).toBeNull();
  expect(await findTenant(db(), "nobody")).toBeNull();
});

test("pages through the tenants by name", async () => {
  const mark = `zz-${randomUUID()}`;
  for (const name of ["c", "a", "b"]) await newTenant(db(), `${mark}-${name}`);

  const first = await listTenants(db(), { limit: 2, after: mark });
  const second = await listTenants(db(), { limit: 2, after: first.rows.at(-1)?.id ?? null });

  expect(first.rows.map(({ id }) => id)).toEqual([`${mark}-a`, `${mark}-b`]);
  expect(first.hasMore).toBe(true);
  expect(second).toMatchObject({ rows: [{ id: `${mark}-c` }], hasMore: false });
});

test("grants concurrent calls exactly as many requests per minute as the limit", async () => {
  const tenant = await newTenant(db());
  const ask = (minute: number, wanted: number): Promise<number> =>
    takeRequests(db(), { tenant, minute, limit: 10, wanted });

  const granted = await Promise.all([ask(7, 4), ask(7, 4), ask(7, 4), ask(7, 4)]);

  expect(granted.sort((a, b) => b - a)).toEqual([4, 4, 2, 0]);
  expect(await ask(7, 4)).toBe(0);
  expect(await ask(8, 4)).toBe(4);
  // A process with a late clock does not get requests of an older minute.
  expect([await ask(7, 4), await ask(7, 4), await ask(7, 4), await ask(8, 1)]).toEqual([4, 2, 0, 0]);
});

test("grants nothing after the limit is lowered within the minute, and takes nothing back", async () => {
  const tenant = await newTenant(db());
  await takeRequests(db(), { tenant, minute: 1, limit: 10, wanted: 8 });

  expect(await takeRequests(db(), { tenant, minute: 1, limit: 5, wanted: 1 })).toBe(0);
  expect(await takeRequests(db(), { tenant, minute: 1, limit: 10, wanted: 8 })).toBe(2);
});

test("sums the bytes of the tenant's live files", async () => {
  const tenant = await newTenant(db());
  const addFile = async (bytes: number, expiresAt: Date | null = null): Promise<string> => {
    const id = `file-${randomUUID()}`;
    await insertBlob(db(), { key: id, bytes, etag: "e" });
    const file = { id, tenant, purpose: "batch", filename: "a.jsonl", bytes, blob: id, createdAt: now, expiresAt };
    await insertFile(db(), file);
    return id;
  };
  expect(await storedBytes(db(), tenant, now)).toBe(0);
  await addFile(5_000_000_000);
  await addFile(100, later(10));
  const deleted = await addFile(7);
  await deleteFile(db(), tenant, deleted, now);

  expect(await storedBytes(db(), tenant, now)).toBe(5_000_000_100);
  expect(await storedBytes(db(), tenant, later(10))).toBe(5_000_000_000);
});
