/** Sends the example bodies of the OpenAPI document, with real ids instead of the placeholders. */
import { expect, test } from "@jest/globals";
import { createTiers, NO_LIMITS } from "@nightshift/domain";
import { PLACEHOLDERS } from "@nightshift/testing/pages";
import type { Operation } from "../src/operation.ts";
import { operations } from "../src/openapi/operations.ts";
import { jsonOf, upload, useApi } from "./api-under-test.ts";

const ADMIN_KEY = "secret-of-the-admin";
const api = useApi(() => ({ adminKey: ADMIN_KEY, tiers: createTiers({ free: NO_LIMITS }) }));

/** The operations with a JSON body. Each may use objects that earlier ones created. */
const ORDER = [
  "createUpload",
  "completeUpload",
  "createBatch",
  "retryBatch",
  "createKey",
  "setTenant",
  "createWebhook",
] as const;

function operationOf(id: string): Operation {
  const found = operations.find((operation) => operation.id === id);
  if (found === undefined) throw new Error(`There is no operation ${id}.`);
  return found;
}

/** Sends an example. `own` has the ids for the placeholders in its path and its body. */
async function send(id: string, own: Readonly<Record<string, string>> = {}): Promise<{ status: number; body: Named }> {
  const { method, path, key, body } = operationOf(id);
  const fill = (text: string): string =>
    Object.entries(own).reduce((filled, [place, value]) => filled.replaceAll(place, value), text);
  const reply = await fetch(api.url() + fill(path), {
    method: method.toUpperCase(),
    headers: { authorization: key === "admin" ? `Bearer ${ADMIN_KEY}` : api.authorization("one") },
    body: fill(JSON.stringify(body?.example)),
  });
  return { status: reply.status, body: (await jsonOf(reply)) as Named };
}

type Named = Record<string, unknown> & { readonly id: string };

test("tests the example of every JSON body", () => {
  const withBody = operations.filter(({ body }) => body?.mediaType === "application/json").map(({ id }) => id);

  expect(withBody.sort()).toEqual([...ORDER].sort());
});

test("creates an upload, and completes it with its part", async () => {
  const created = await send("createUpload");
  const form = new FormData();
  form.set("data", new Blob(['{"custom_id":"1"}\n'.padEnd(Number(created.body["bytes"]), "\n")]));
  const part = await jsonOf(await api.fetch(`/v1/uploads/${created.body.id}/parts`, { method: "POST", body: form }));

  const completed = await send("completeUpload", {
    "{upload_id}": created.body.id,
    [PLACEHOLDERS.part]: String(part["id"]),
  });

  expect([created.status, completed.status]).toEqual([200, 200]);
  expect(completed.body).toMatchObject({ status: "completed", file: { filename: "requests.jsonl" } });
});

test("creates a batch, and refuses its retry only because of its status", async () => {
  const created = await send("createBatch", { [PLACEHOLDERS.file]: (await upload(api)).id });
  const retried = await send("retryBatch", { "{batch_id}": created.body.id });

  expect(created).toMatchObject({ status: 200, body: { metadata: { job: "nightly" } } });
  expect(retried.status).toBe(409);
});

test("creates a key, sets the tier of its tenant, and adds a webhook endpoint", async () => {
  const key = await send("createKey");
  const tenant = await send("setTenant", { "{tenant}": String(key.body["tenant"]) });
  const webhook = await send("createWebhook");

  expect([key.status, tenant.status, webhook.status]).toEqual([200, 200, 200]);
  expect(tenant.body).toMatchObject({ tier: "free", weight: 2 });
});
