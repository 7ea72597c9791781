/** Sends the bodies that the API's description has as examples, with ids of this API in the places of the pages' own. */
import { expect, test } from "@jest/globals";
import { createTiers, NO_LIMITS } from "@nightshift/domain";
import { PLACEHOLDERS } from "@nightshift/testing/pages";
import type { Operation } from "../src/operation.ts";
import { operations } from "../src/openapi/operations.ts";
import { jsonOf, upload, useApi } from "./api-under-test.ts";

const ADMIN_KEY = "secret-of-the-admin";
const api = useApi(() => ({ adminKey: ADMIN_KEY, tiers: createTiers({ free: NO_LIMITS }) }));

/** Those with a JSON body, in the order in which each finds what the ones before it have made. */
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

/** Sends an example; `own` are ids for the placeholders in its path and its body. */
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

test("every JSON body has an example that is sent here", () => {
  const withBody = operations.filter(({ body }) => body?.mediaType === "application/json").map(({ id }) => id);

  expect(withBody.sort()).toEqual([...ORDER].sort());
});

test("uploads: an upload is made, and completed with its part", async () => {
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

test("batches: one is made; a retry is understood, and refused for the batch's status alone", async () => {
  const created = await send("createBatch", { [PLACEHOLDERS.file]: (await upload(api)).id });
  const retried = await send("retryBatch", { "{batch_id}": created.body.id });

  expect(created).toMatchObject({ status: 200, body: { metadata: { job: "nightly" } } });
  expect(retried.status).toBe(409);
});

test("administration: a key makes a tenant, which gets a tier and an endpoint for webhooks", async () => {
  const key = await send("createKey");
  const tenant = await send("setTenant", { "{tenant}": String(key.body["tenant"]) });
  const webhook = await send("createWebhook");

  expect([key.status, tenant.status, webhook.status]).toEqual([200, 200, 200]);
  expect(tenant.body).toMatchObject({ tier: "free", weight: 2 });
});
