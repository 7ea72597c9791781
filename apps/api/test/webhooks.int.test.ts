/** The routes of the admin API for webhooks: access, validation, and what the replies show. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { moveBatch, untriedDeliveries, insertBatch } from "@nightshift/db";
import { createWebhookSender } from "@nightshift/webhooks";
import { batchFields } from "@nightshift/testing/batches";
import OpenAI from "openai";
import { errorOf, jsonOf, useApi } from "./api-under-test.ts";

const ADMIN_KEY = "operator";
const URL_OK = "https://example.com/hook";
const ALL = ["batch.completed", "batch.failed", "batch.expired", "batch.cancelled"];

const api = useApi(() => ({ adminKey: ADMIN_KEY }));
const permissive = useApi(() => ({ adminKey: ADMIN_KEY, allowPrivateWebhooks: true }));
const strict = useApi(() => ({ adminKey: ADMIN_KEY, webhooks: createWebhookSender({ allowPrivate: false }) }));

type Method = "GET" | "POST" | "DELETE" | "PUT";

function call(method: Method, path: string, body?: unknown, at = api): Promise<Response> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };
  const init = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
  return fetch(`${at.url()}/admin/v1/webhooks${path}`, { method, headers, ...init });
}

async function create(body: Record<string, unknown> = {}, at = api): Promise<{ id: string; secret: string }> {
  const reply = await call("POST", "", { tenant: "one", url: URL_OK, ...body }, at);
  const endpoint = (await reply.json()) as { id: string; secret: string };
  if (reply.status !== 200) throw new Error(`not created: ${JSON.stringify(endpoint)}`);
  return endpoint;
}

beforeEach(async () => {
  for (const at of [api, permissive, strict]) await at.db().query("delete from webhook_endpoints");
});

describe("access", () => {
  test.each([
    ["GET", ""],
    ["POST", ""],
    ["DELETE", "/we_1"],
    ["POST", "/we_1/test"],
    ["GET", "/we_1/deliveries"],
  ] as const)("%s %s refuses a tenant's key, because it requires the admin key", async (method, path) => {
    const reply = await api.fetch(`/admin/v1/webhooks${path}`, { method });

    expect(await errorOf(reply, 401)).toMatchObject({ code: "admin_key_only" });
  });

  test("returns 405 for other methods", async () => {
    expect((await call("PUT", "")).status).toBe(405);
    expect((await call("GET", "/we_1/test")).status).toBe(405);
  });
});

describe("creating", () => {
  test("returns the endpoint with its secret, which is never shown again", async () => {
    const reply = await call("POST", "", { tenant: "one", url: "https://EXAMPLE.com:8443/hook?a=b" });
    const created = await jsonOf(reply);

    expect(reply.status).toBe(200);
    expect(Object.keys(created)).toEqual(["id", "object", "tenant", "url", "events", "secret", "created_at"]);
    expect(created).toEqual({
      id: expect.stringMatching(/^we_[0-9a-f]{32}$/),
      object: "webhook_endpoint",
      tenant: "one",
      url: "https://example.com:8443/hook?a=b",
      events: ALL,
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
      created_at: Math.floor(api.now().getTime() / 1_000),
    });
    const { secret, ...shown } = created;
    expect(await (await call("GET", "")).text()).not.toContain(secret);
    expect((await jsonOf(await call("GET", "")))["data"]).toEqual([shown]);
  });

  test("accepts a list of event types", async () => {
    expect(await create({ events: ["batch.failed"] })).toMatchObject({ events: ["batch.failed"] });
  });

  test.each([
    [{ tenant: undefined }, "tenant", /Missing required parameter: 'tenant'/],
    [{ url: undefined }, "url", /Missing required parameter: 'url'/],
    [{ tenant: 1 }, "tenant", /expected a string, but got an integer/],
    [{ tenant: "nobody" }, "tenant", /the tenant does not exist/],
    [{ tenant: "a\0b" }, "tenant", /the tenant does not exist/],
    [{ name: "x" }, "name", /Unknown parameter: 'name'/],
    [{ events: [] }, "events", /at least 1 entry/],
    [{ events: ["batch.failed", "batch.failed"] }, "events", /duplicate/],
    [{ events: ["batch.canceled"] }, "events[0]", /'batch.canceled'. Supported values are: 'batch.completed', /],
    [{ events: "batch.failed" }, "events", /expected an array/],
    [{ url: "example.com" }, "url", /absolute URL/],
    [{ url: "ftp://example.com/" }, "url", /begin with https/],
    [{ url: "https://a:b@example.com/" }, "url", /user name or password/],
    [{ url: "http://localhost/" }, "url", /private network; NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE=true/],
    [{ url: "http://169.254.169.254/" }, "url", /private network/],
    [{ url: "http://[::ffff:10.0.0.1]/" }, "url", /private network/],
  ])("refuses %j", async (change, param, message) => {
    const reply = await call("POST", "", { tenant: "one", url: URL_OK, ...change });

    expect(await errorOf(reply, 400)).toMatchObject({ param, message: expect.stringMatching(message) });
    expect((await jsonOf(await call("GET", "")))["data"]).toEqual([]);
  });

  test("refuses a body that is not a JSON object", async () => {
    for (const body of ["{", "[]", "null", '"x"']) expect((await call("POST", "", body)).status).toBe(400);
  });

  test("accepts private addresses if they are allowed", async () => {
    expect(await create({ url: "http://127.0.0.1:9/" }, permissive)).toMatchObject({ url: "http://127.0.0.1:9/" });
  });

  test("refuses more than twenty endpoints for a tenant", async () => {
    for (let i = 0; i < 20; i += 1) await create();

    const error = await errorOf(await call("POST", "", { tenant: "one", url: URL_OK }), 400);

    expect(error["message"]).toMatch(/has 20 webhook endpoints.*Delete one first/);
    await create({ tenant: "two" });
  });
});

describe("listing", () => {
  test("pages through the endpoints of one tenant or of all, newest first", async () => {
    const [a, b, c] = [await create(), await create({ tenant: "two" }), await create()];
    const ids = async (query: string): Promise<unknown> => {
      const page = await jsonOf(await call("GET", query));
      return [(page["data"] as { id: string }[]).map(({ id }) => id), page["has_more"]];
    };

    expect(await ids("")).toEqual([[c.id, b.id, a.id], false]);
    expect(await ids("?tenant=one")).toEqual([[c.id, a.id], false]);
    expect(await ids("?tenant=nobody")).toEqual([[], false]);
    expect(await ids("?limit=2")).toEqual([[c.id, b.id], true]);
    expect(await ids(`?limit=2&after=${b.id}`)).toEqual([[a.id], false]);
  });

  test.each(["?limit=0", "?limit=101", "?limit=x", "?after=we_none", "?after=%00", "?tenant=%00"])(
    "refuses %s",
    async (query) => {
      expect(await errorOf(await call("GET", query), 400)).toMatchObject({ type: "invalid_request_error" });
    },
  );
});

describe("an endpoint by its id", () => {
  test.each([
    ["DELETE", ""],
    ["POST", "/test"],
    ["GET", "/deliveries"],
  ] as const)('%s returns 404 if the endpoint does not exist (path: "%s")', async (method, path) => {
    for (const id of ["we_none", "%00", "we_%20"]) {
      const error = await errorOf(await call(method, `/${id}${path}`), 404);
      expect(error["message"]).toBe(`No webhook endpoint found with id '${decodeURIComponent(id)}'.`);
    }
  });

  test("is deleted once, with its pending deliveries", async () => {
    const { id } = await create();
    const batch = await failedBatch();
    expect(await untriedDeliveries(api.db(), batch)).toHaveLength(1);

    expect(await jsonOf(await call("DELETE", `/${id}`))).toEqual({ id, object: "webhook_endpoint", deleted: true });

    expect((await call("DELETE", `/${id}`)).status).toBe(404);
    expect(await untriedDeliveries(api.db(), batch)).toEqual([]);
  });

  test("shows its deliveries", async () => {
    const { id } = await create();
    await create({ events: ["batch.completed"] });
    const batch = await failedBatch();

    const seconds = Math.floor(api.now().getTime() / 1_000);
    expect(await jsonOf(await call("GET", `/${id}/deliveries`))).toMatchObject({
      object: "list",
      has_more: false,
      data: [
        {
          id: expect.stringMatching(/^wh_[0-9a-f]{32}$/),
          object: "webhook_delivery",
          endpoint: id,
          event: expect.stringMatching(/^evt_[0-9a-f]{32}$/),
          type: "batch.failed",
          batch,
          state: "pending",
          attempts: 0,
          last_status: null,
          last_error: null,
          created_at: seconds,
          next_attempt_at: seconds,
          delivered_at: null,
        },
      ],
    });
  });
});

/** Fails a batch of the tenant `one` and returns its id. */
async function failedBatch(): Promise<string> {
  const { id, batchNo: number } = await insertBatch(api.db(), batchFields({ tenant: "one", createdAt: api.now() }));
  await moveBatch(api.db(), number, { to: "failed", errors: [] }, api.now());
  return id;
}

describe("a test event", () => {
  const received: { headers: Record<string, string>; body: string }[] = [];
  let status = 200;
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        received.push({ headers: request.headers as Record<string, string>, body });
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
  });

  test("is sent at once with a valid signature, and is not stored", async () => {
    const { id, secret } = await create({ url, events: ["batch.expired"] }, permissive);
    received.length = 0;

    const outcome = await jsonOf(await call("POST", `/${id}/test`, undefined, permissive));

    expect(outcome).toEqual({ object: "webhook_test", endpoint: id, delivered: true, status: 200, error: null });
    const [{ headers, body } = { headers: {}, body: "" }, ...others] = received;
    expect(others).toEqual([]);
    expect(await new OpenAI({ apiKey: "none" }).webhooks.unwrap(body, headers, secret)).toMatchObject({
      type: "batch.expired",
      data: { id: expect.stringMatching(/^batch_[0-9a-f]{32}$/) },
    });
    expect((await jsonOf(await call("GET", `/${id}/deliveries`, undefined, permissive)))["data"]).toEqual([]);
  });

  test("returns the status of the receiver, or the reason why the event could not be sent", async () => {
    const { id } = await create({ url }, permissive);
    const refused = await create({ url: "http://127.0.0.1:1/" }, permissive);
    status = 302;

    expect(await jsonOf(await call("POST", `/${id}/test`, undefined, permissive))).toMatchObject({
      delivered: false,
      status: 302,
      error: "answered 302, and redirects are not followed",
    });
    expect(await jsonOf(await call("POST", `/${refused.id}/test`, undefined, permissive))).toMatchObject({
      delivered: false,
      status: null,
      error: expect.stringContaining("ECONNREFUSED"),
    });
  });

  test("is not sent to a private address, even if an older endpoint has one", async () => {
    const { id } = await create({}, strict);
    await strict.db().query("update webhook_endpoints set url = $2 where id = $1", [id, url]);
    received.length = 0;

    expect(await jsonOf(await call("POST", `/${id}/test`, undefined, strict))).toMatchObject({
      delivered: false,
      status: null,
      error: expect.stringContaining("private network"),
    });
    expect(received).toEqual([]);
  });
});
