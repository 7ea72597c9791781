/** The Idempotency-Key header: replayed replies, refused keys, and one object for each key. */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { findBatch, KeyConflictError, claimKey, sweepKeys, withTx } from "@nightshift/db";
import { errorOf, jsonOf, objectKeys, upload, useApi } from "./api-under-test.ts";

const api = useApi();
const good = { input_file_id: "file-1", endpoint: "/v1/chat/completions", completion_window: "24h" };

function createBatch(key: string | null, body: unknown = good, tenant: "one" | "two" = "one"): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "content-type": "application/json", ...(key === null ? {} : { "idempotency-key": key }) };
  return api.fetch("/v1/batches", { method: "POST", headers, body: text, tenant });
}

interface FileChange {
  readonly text?: string;
  readonly filename?: string;
  readonly purpose?: string;
  readonly seconds?: string;
}

function createFile(key: string, { text = "{}\n", filename = "a.jsonl", purpose = "batch", seconds }: FileChange = {}) {
  const form = new FormData();
  form.set("purpose", purpose);
  if (seconds !== undefined) {
    form.set("expires_after[anchor]", "created_at");
    form.set("expires_after[seconds]", seconds);
  }
  form.set("file", new Blob([text]), filename);
  return api.fetch("/v1/files", { method: "POST", headers: { "idempotency-key": key }, body: form });
}

async function count(table: "batches" | "files" | "idempotency_keys"): Promise<number> {
  const { rows } = await api.db().query<{ n: number }>(`select count(*)::int as n from ${table}`);
  return rows[0]?.n ?? -1;
}

async function expectReused(reply: Response): Promise<void> {
  expect(reply.headers.get("x-should-retry")).toBe("false");
  expect(await errorOf(reply, 409)).toMatchObject({ code: "idempotency_key_reused", param: "Idempotency-Key" });
}

describe("POST /v1/batches", () => {
  test("the same request again returns the first batch in its current state", async () => {
    const key = randomUUID();
    const first = await createBatch(key);
    const made = await jsonOf(first);
    const cancelled = await jsonOf(await api.fetch(`/v1/batches/${String(made["id"])}/cancel`, { method: "POST" }));
    const before = await count("batches");
    api.advanceClock(3600);
    const again = await createBatch(
      key,
      `{"completion_window": "24h", "metadata": null, "endpoint": "/v1/chat/completions", "input_file_id": "file-1"}`,
    );

    expect(first.headers.has("idempotency-replayed")).toBe(false);
    expect(again.status).toBe(200);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await jsonOf(again)).toEqual(cancelled);
    expect(await count("batches")).toBe(before);
  });

  test.each([
    ["another file", { ...good, input_file_id: "file-2" }],
    ["metadata", { ...good, metadata: { job: "nightly" } }],
  ])("refuses the key for a request with %s", async (_what, body) => {
    const key = randomUUID();
    await createBatch(key);
    const before = await count("batches");

    await expectReused(await createBatch(key, body));
    expect(await count("batches")).toBe(before);
  });

  test("ten parallel requests with one key create exactly one batch", async () => {
    const key = randomUUID();
    const before = await count("batches");
    const replies = await Promise.all(Array.from({ length: 10 }, () => createBatch(key)));

    expect(await count("batches")).toBe(before + 1);
    const made = replies.filter((reply) => reply.status === 200);
    expect(new Set(await Promise.all(made.map(async (reply) => (await jsonOf(reply))["id"]))).size).toBe(1);
    expect(made.filter((reply) => !reply.headers.has("idempotency-replayed"))).toHaveLength(1);
    for (const reply of replies.filter((one) => one.status !== 200)) {
      expect(reply.headers.get("x-should-retry")).toBe("true");
      expect(await errorOf(reply, 409)).toMatchObject({ code: "idempotency_key_in_use" });
    }
  });

  test("tells the second request to retry while the first is running", async () => {
    const key = randomUUID();
    const now = api.now();
    const claim = {
      ...{ tenant: "one", operation: "create_batch" as const, key, requestHash: Buffer.alloc(32), objectId: "batch_x" },
      expiresAt: new Date(now.getTime() + 1000),
    };
    const reply = await withTx(api.db(), async (tx) => {
      await claimKey(tx, claim, now);
      const second = await createBatch(key);
      // This rolls back the transaction, which then creates no batch.
      throw Object.assign(new Error("as intended"), { second });
    }).catch((error: unknown) => (error as { second: Response }).second);

    expect(reply.headers.get("x-should-retry")).toBe("true");
    expect(reply.headers.get("retry-after")).toBe("1");
    expect(await errorOf(reply, 409)).toMatchObject({ code: "idempotency_key_in_use" });
    expect((await createBatch(key)).headers.has("idempotency-replayed")).toBe(false);
  });

  test("neither a refused request nor another tenant's request takes the key", async () => {
    const key = randomUUID();
    await errorOf(await createBatch(key, { ...good, completion_window: "1h" }), 400);
    const first = await jsonOf(await createBatch(key));
    const other = await createBatch(key, good, "two");

    expect(other.headers.has("idempotency-replayed")).toBe(false);
    expect((await jsonOf(other))["id"]).not.toBe(first["id"]);
  });

  test("a key is free again after 24 hours, and maintenance deletes it", async () => {
    const key = randomUUID();
    const first = await jsonOf(await createBatch(key));
    api.advanceClock(86_399);
    const last = await createBatch(key);
    api.advanceClock(1);
    const anew = await createBatch(key);

    expect(last.headers.get("idempotency-replayed")).toBe("true");
    expect(anew.headers.has("idempotency-replayed")).toBe(false);
    expect((await jsonOf(anew))["id"]).not.toBe(first["id"]);
    api.advanceClock(86_400);
    expect(await sweepKeys(api.db(), api.now(), 10_000)).toBeGreaterThan(0);
    expect(await count("idempotency_keys")).toBe(0);
  });

  test.each([
    ["that is empty", ""],
    ["that contains a space", "two words"],
    ["of 256 characters", "k".repeat(256)],
    ["that is not ASCII", "schl\u00fcssel"],
  ])("refuses a key %s", async (_what, key) => {
    const error = await errorOf(await createBatch(key), 400);

    expect(error).toMatchObject({ param: "Idempotency-Key", code: "invalid_value" });
    expect(error["message"]).toContain("1 to 255 visible ASCII characters");
  });

  test("without a key, every request creates a batch and no row is kept", async () => {
    const before = await count("idempotency_keys");
    const [one, two] = [await createBatch(null), await createBatch(null)];

    expect(one.headers.has("idempotency-replayed")).toBe(false);
    expect((await jsonOf(one))["id"]).not.toBe((await jsonOf(two))["id"]);
    expect(await count("idempotency_keys")).toBe(before);
    expect(await findBatch(api.db(), "one", "batch_x")).toBeNull();
  });
});

describe("POST /v1/files", () => {
  test("the same upload again returns the first file, and the second copy of its bytes is not kept", async () => {
    const key = randomUUID();
    const first = await jsonOf(await createFile(key));
    const objects = await objectKeys(api);
    api.advanceClock(60);
    const again = await createFile(key);

    expect(again.status).toBe(200);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await jsonOf(again)).toEqual(first);
    expect((await objectKeys(api)).sort()).toEqual(objects.sort());
  });

  test.each<[string, FileChange]>([
    ["other bytes of the same length", { text: "[]\n" }],
    ["another name", { filename: "b.jsonl" }],
    ["another purpose", { purpose: "user_data" }],
    ["another expiry", { seconds: "3600" }],
  ])("refuses the key for a request with %s", async (_what, change) => {
    const key = randomUUID();
    await createFile(key);
    const [files, objects] = [await count("files"), await objectKeys(api)];

    await expectReused(await createFile(key, change));
    expect(await count("files")).toBe(files);
    expect((await objectKeys(api)).sort()).toEqual(objects.sort());
  });

  test("parallel uploads with one key create exactly one file", async () => {
    const key = randomUUID();
    const before = await count("files");
    const replies = await Promise.all(Array.from({ length: 5 }, () => createFile(key)));

    expect(await count("files")).toBe(before + 1);
    expect(
      replies.filter(({ status, headers }) => status === 200 && !headers.has("idempotency-replayed")),
    ).toHaveLength(1);
    expect(replies.every(({ status }) => status === 200 || status === 409)).toBe(true);
  });

  test("a key can be used again once its file is deleted, and the same key can be used for a batch", async () => {
    const key = randomUUID();
    const first = await jsonOf(await createFile(key));
    await api.fetch(`/v1/files/${String(first["id"])}`, { method: "DELETE" });
    const anew = await createFile(key);
    const batch = await createBatch(key);

    expect(anew.headers.has("idempotency-replayed")).toBe(false);
    expect((await jsonOf(anew))["id"]).not.toBe(first["id"]);
    expect(batch.status).toBe(200);
    expect(batch.headers.has("idempotency-replayed")).toBe(false);
  });

  test("an upload without a key stores no row in idempotency_keys", async () => {
    const before = await count("idempotency_keys");
    await upload(api);

    expect(await count("idempotency_keys")).toBe(before);
  });
});

test("a transaction is rolled back if another one has already claimed its key", async () => {
  const claim = {
    ...{ tenant: "one", operation: "create_batch" as const, key: randomUUID(), requestHash: Buffer.alloc(32, 1) },
    ...{ objectId: String((await jsonOf(await createBatch(null)))["id"]), expiresAt: new Date(Date.now() + 1e9) },
  };
  const claimOnce = (): Promise<void> => withTx(api.db(), (tx) => claimKey(tx, claim, api.now()));
  await claimOnce();

  await expect(claimOnce()).rejects.toThrow(KeyConflictError);
});
