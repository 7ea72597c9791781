/** The routes of the admin API for keys and tenants. */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { createTiers, NO_LIMITS } from "@nightshift/domain";
import { errorOf, jsonOf, useApi } from "./api-under-test.ts";

const ADMIN_KEY = "secret-of-the-admin";
const tiers = createTiers({ free: { ...NO_LIMITS, concurrentBatches: 1 } });
const api = useApi(() => ({ adminKey: ADMIN_KEY, tiers }));

interface Key extends Record<string, unknown> {
  readonly id: string;
  readonly key: string;
}

function admin(path: string, method = "GET", body?: unknown): Promise<Response> {
  return fetch(`${api.url()}/admin/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const newTenant = (): string => `t-${randomUUID()}`;

async function createKey(tenant: string, name?: string): Promise<Key> {
  const reply = await admin("/keys", "POST", { tenant, ...(name === undefined ? {} : { name }) });
  const key = await jsonOf(reply);
  if (reply.status !== 200) throw new Error(JSON.stringify(key));
  return key as Key;
}

const listWith = (key: string): Promise<Response> =>
  fetch(`${api.url()}/v1/batches`, { headers: { authorization: `Bearer ${key}` } });

describe("keys", () => {
  test("shows a new key once, creates its tenant, and accepts it for that tenant", async () => {
    const tenant = newTenant();

    const made = await createKey(tenant, "nightly jobs");

    expect(made).toEqual({
      object: "api_key",
      id: expect.stringMatching(/^key_[0-9a-f]{32}$/),
      tenant,
      name: "nightly jobs",
      hint: made.key.slice(0, 16),
      created_at: expect.any(Number),
      revoked_at: null,
      key: expect.stringMatching(/^sk-nightshift-[\w-]{43}$/),
    });
    expect((await listWith(made.key)).status).toBe(200);
    const listed = await (await admin(`/keys?tenant=${tenant}`)).text();
    const { key, ...shown } = made;
    expect(JSON.parse(listed)).toEqual({
      object: "list",
      data: [shown],
      first_id: made.id,
      last_id: made.id,
      has_more: false,
    });
    expect(listed).not.toContain(key);
    expect(await jsonOf(await admin(`/tenants/${tenant}`))).toMatchObject({ id: tenant, tier: null, weight: 1 });
  });

  test("refuses a revoked key, and accepts the other keys of its tenant", async () => {
    const tenant = newTenant();
    const [first, second] = [await createKey(tenant), await createKey(tenant)];
    expect((await listWith(first.key)).status).toBe(200);

    const revoked = await admin(`/keys/${first.id}`, "DELETE");

    expect(await jsonOf(revoked)).toEqual({ object: "api_key", id: first.id, deleted: true });
    expect(await errorOf(await listWith(first.key), 401)).toMatchObject({ code: "invalid_api_key" });
    expect((await listWith(second.key)).status).toBe(200);
    const { data } = (await jsonOf(await admin(`/keys?tenant=${tenant}`))) as { data: Record<string, unknown>[] };
    expect(data.map(({ id, revoked_at: at }) => [id, at === null])).toEqual([
      [second.id, true],
      [first.id, false],
    ]);
    expect((await admin(`/keys/${first.id}`, "DELETE")).status).toBe(200);
  });

  test("lists keys in pages, newest first", async () => {
    const tenant = newTenant();
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.unshift((await createKey(tenant)).id);

    const seen: string[] = [];
    for (let after = "", more = true; more;) {
      const page = await jsonOf(await admin(`/keys?tenant=${tenant}&limit=2${after}`));
      seen.push(...(page["data"] as { id: string }[]).map(({ id }) => id));
      after = `&after=${String(page["last_id"])}`;
      more = page["has_more"] === true;
    }

    expect(seen).toEqual(ids);
    expect(await jsonOf(await admin("/keys?tenant=nobody"))).toMatchObject({ data: [], has_more: false });
    expect(await jsonOf(await admin("/keys?tenant=%00"))).toMatchObject({ data: [] });
  });

  test.each([
    [{}, "tenant", "missing_required_parameter"],
    [{ tenant: 1 }, "tenant", "invalid_type"],
    [{ tenant: "" }, "tenant", "invalid_value"],
    [{ tenant: "Acme" }, "tenant", "invalid_value"],
    [{ tenant: "-a" }, "tenant", "invalid_value"],
    [{ tenant: "a\n" }, "tenant", "invalid_value"],
    [{ tenant: "x".repeat(64) }, "tenant", "invalid_value"],
    [{ tenant: "a", name: "x".repeat(201) }, "name", "invalid_value"],
    [{ tenant: "a", name: "\0" }, "name", "invalid_value"],
    [{ tenant: "a", key: "mine" }, "key", "unknown_parameter"],
  ])("refuses to create a key from %j", async (body, param, code) => {
    expect(await errorOf(await admin("/keys", "POST", body), 400)).toMatchObject({ param, code });
  });

  test.each(["limit=0", "limit=101", "limit=x", "after=key_unknown", "after=%00"])("refuses ?%s", async (query) => {
    expect(await errorOf(await admin(`/keys?${query}`), 400)).toMatchObject({ code: expect.any(String) });
  });

  test.each(["key_unknown", "%00"])("returns 404 when it revokes the unknown key %s", async (id) => {
    expect(await errorOf(await admin(`/keys/${id}`, "DELETE"), 404)).toMatchObject({
      message: expect.stringContaining("No such API key"),
    });
  });
});

describe("tenants", () => {
  test("sets the tier and the weight of a tenant", async () => {
    const tenant = newTenant();
    await createKey(tenant);

    const set = await admin(`/tenants/${tenant}`, "POST", { tier: "free", weight: 2.5 });

    const expected = { object: "tenant", id: tenant, tier: "free", weight: 2.5, created_at: expect.any(Number) };
    expect(await jsonOf(set)).toEqual(expected);
    expect(await jsonOf(await admin(`/tenants/${tenant}`))).toEqual(expected);
    expect(await jsonOf(await admin(`/tenants/${tenant}`, "POST", { tier: null }))).toEqual({
      ...expected,
      tier: null,
    });
    const { data } = (await jsonOf(await admin("/tenants?limit=100"))) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(["one", "two", tenant]));
  });

  test.each([
    [{ tier: "gold" }, "tier", "Supported values are: 'default', 'free'"],
    [{ tier: 1 }, "tier", "expected a string"],
    [{ weight: 0 }, "weight", "0.01"],
    [{ weight: 1_001 }, "weight", "1000"],
    [{ weight: "1" }, "weight", "expected a number"],
    [{ quota: 1 }, "quota", "Unknown parameter"],
  ])("refuses to set %j", async (body, param, words) => {
    const error = await errorOf(await admin("/tenants/one", "POST", body), 400);

    expect(error).toMatchObject({ param, message: expect.stringContaining(words) });
  });

  test.each(["nobody", "%00"])("returns 404 for the unknown tenant %s", async (id) => {
    expect(await errorOf(await admin(`/tenants/${id}`), 404)).toMatchObject({
      message: expect.stringContaining("key"),
    });
    expect((await admin(`/tenants/${id}`, "POST", { weight: 2 })).status).toBe(404);
  });
});

test("returns 401 on every path without the admin key, even with the key of a tenant", async () => {
  for (const path of ["/keys", "/keys/key_1", "/tenants", "/tenants/one", "/nothing"]) {
    for (const method of ["GET", "POST", "DELETE"]) {
      const reply = await api.fetch(`/admin/v1${path}`, { method });
      expect(await errorOf(reply, 401)).toMatchObject({ code: "admin_key_only" });
    }
  }
});

test("names the full path in the errors for an unknown path and a wrong method", async () => {
  expect(await errorOf(await admin("/nothing"), 404)).toMatchObject({
    message: "Unknown request URL: GET /admin/v1/nothing. Please check the URL for typos.",
  });
  expect(await errorOf(await admin("/keys", "PUT"), 405)).toMatchObject({
    message: expect.stringContaining("Not allowed to PUT on /admin/v1/keys."),
  });
});
