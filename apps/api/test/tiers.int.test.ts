/** The limits of a tier: queued batches, bytes, and requests per minute. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { numberOfBatch, setTenant } from "@nightshift/db";
import { createTiers, NO_LIMITS } from "@nightshift/domain";
import { errorOf, jsonOf, moveTo, objectKeys, upload, useApi } from "./api-under-test.ts";

const tiers = createTiers({
  queue: { ...NO_LIMITS, concurrentBatches: 1, queuedBatches: 1 },
  size: { ...NO_LIMITS, fileBytes: 100 },
  store: { ...NO_LIMITS, storedBytes: 250 },
  rate: { ...NO_LIMITS, requestsPerMinute: 5 },
});
const api = useApi(() => ({ tiers }));

/** Sets the tier of the tenant, and moves the clock past the expiry of the cached one. */
async function changeTier(tier: string): Promise<void> {
  await setTenant(api.db(), "one", { tier });
  api.advanceClock(60);
}

beforeEach(async () => {
  await api.db().query("update batches set status = 'completed'");
  await api.db().query("update files set deleted_at = now()");
});

const good = { input_file_id: "file-1", endpoint: "/v1/chat/completions", completion_window: "24h" };
const create = (tenant: "one" | "two" = "one"): Promise<Response> =>
  api.fetch("/v1/batches", { method: "POST", body: JSON.stringify(good), tenant });

const line = (bytes: number): string => `{"a":"${"x".repeat(bytes - 8)}"}`;

function uploadRaw(content: string, order: "file first" | "purpose first" = "purpose first"): Promise<Response> {
  const form = new FormData();
  if (order === "purpose first") form.set("purpose", "batch");
  form.set("file", new Blob([content]), "input.jsonl");
  form.set("purpose", "batch");
  return api.fetch("/v1/files", { method: "POST", body: form });
}

describe("queued_batches", () => {
  test("refuses another batch, and tells SDKs not to retry, until a batch ends", async () => {
    await changeTier("queue");
    const first = (await jsonOf(await create()))["id"];
    expect((await create()).status).toBe(200);

    const refused = await create();

    expect(refused.headers.get("x-should-retry")).toBe("false");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await errorOf(refused, 429)).toMatchObject({
      type: "rate_limit_error",
      code: "batch_queue_full",
      message: expect.stringContaining("limit of 2 unfinished batches"),
    });
    expect((await create("two")).status).toBe(200);
    await moveTo(api, (await numberOfBatch(api.db(), String(first))) ?? 0, "completed");
    expect((await create()).status).toBe(200);
  });
});

describe("file_bytes", () => {
  test.each(["file first", "purpose first"] as const)("is exact to the byte, %s", async (order) => {
    await changeTier("size");
    const before = await objectKeys(api);

    const refused = await uploadRaw(line(101), order);
    expect(await errorOf(refused, 400)).toMatchObject({ message: expect.stringContaining("at most 100 bytes") });
    expect(await objectKeys(api)).toEqual(before);

    expect((await uploadRaw(line(100), order)).status).toBe(200);
  });

  test("refuses a large Content-Length without reading the body", async () => {
    await changeTier("size");
    const headers = {
      authorization: api.authorization("one"),
      "content-type": "multipart/form-data; boundary=b",
      "content-length": "10000000",
    };
    const upload = request(`${api.url()}/v1/files`, { method: "POST", headers });
    upload.flushHeaders();
    const [reply] = (await once(upload, "response")) as [IncomingMessage];

    const { error } = JSON.parse(await text(reply)) as { error: { message: string } };
    upload.on("error", () => undefined).destroy();
    expect(reply.statusCode).toBe(400);
    expect(error.message).toContain("too large");
  });
});

describe("stored_bytes", () => {
  test("counts existing files, and not deleted ones", async () => {
    await changeTier("store");
    const { id } = await upload(api, { text: line(150) });

    const refused = await uploadRaw(line(101));

    expect(await errorOf(refused, 400)).toMatchObject({
      code: "storage_limit_exceeded",
      message: expect.stringContaining("exceed the 250 bytes"),
    });
    expect((await uploadRaw(line(100))).status).toBe(200);
    expect((await errorOf(await uploadRaw(line(8)), 400))["code"]).toBe("storage_limit_exceeded");
    await api.fetch(`/v1/files/${id}`, { method: "DELETE" });
    expect((await uploadRaw(line(150))).status).toBe(200);
  });

  test("holds for uploads that end at the same time", async () => {
    await changeTier("store");
    const before = (await objectKeys(api)).length;

    const replies = await Promise.all(Array.from({ length: 6 }, () => uploadRaw(line(100))));

    expect(replies.map(({ status }) => status).sort()).toEqual([200, 200, 400, 400, 400, 400]);
    expect((await objectKeys(api)).length).toBe(before + 2);
  });
});

describe("requests_per_minute", () => {
  test("holds for all requests of the tenant until the minute ends, and not for other tenants", async () => {
    await changeTier("rate");
    const get = (tenant: "one" | "two" = "one"): Promise<Response> => api.fetch("/v1/batches", { tenant });

    const replies = await Promise.all(Array.from({ length: 8 }, () => get()));

    expect(replies.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
    const refused = await get();
    const seconds = Number(refused.headers.get("retry-after"));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(await errorOf(refused, 429)).toMatchObject({ type: "rate_limit_error", code: "rate_limit_exceeded" });
    expect((await get("two")).status).toBe(200);
    api.advanceClock(seconds);
    expect((await get()).status).toBe(200);
  });

  test("is shared by all API processes", async () => {
    await changeTier("rate");
    await api
      .db()
      .query(
        "insert into request_windows (tenant, minute, used, granted) values ('one', $1, 4, 1) on conflict (tenant) do update set minute = excluded.minute, used = 4",
        [Math.floor(api.now().getTime() / 60_000)],
      );

    const statuses = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await api.fetch("/v1/files")).status);

    expect(statuses).toEqual([200, 429, 429]);
  });
});
