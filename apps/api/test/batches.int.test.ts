/** The routes to create, retrieve, list and cancel batches. */
import { beforeEach, describe, expect, test } from "@jest/globals";
import { findBatch, numberOfBatch } from "@nightshift/db";
import { errorOf, jsonOf, moveTo, upload, useApi } from "./api-under-test.ts";

const api = useApi();

const good = { input_file_id: "file-1", endpoint: "/v1/chat/completions", completion_window: "24h" };

function post(body: unknown, init: Parameters<typeof api.fetch>[1] = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return api.fetch("/v1/batches", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: text,
    ...init,
  });
}

async function create(body: object = good): Promise<Record<string, unknown> & { id: string }> {
  const reply = await post(body);
  const batch = await jsonOf(reply);
  if (reply.status !== 200 || typeof batch["id"] !== "string") throw new Error(JSON.stringify(batch));
  return { ...batch, id: batch["id"] };
}

async function numberOf(id: string): Promise<number> {
  const batchNo = await numberOfBatch(api.db(), id);
  if (batchNo === null) throw new Error(`there is no batch ${id}`);
  return batchNo;
}

beforeEach(() => {
  api.queueFailure = null;
  api.advanced.length = 0;
});

describe("POST /v1/batches", () => {
  test("inserts the batch, notifies the workers, and returns the batch", async () => {
    const { id: inputFileId } = await upload(api);

    const batch = await create({ ...good, input_file_id: inputFileId, metadata: { job: "nightly" } });

    const seconds = Math.floor(api.now().getTime() / 1000);
    expect(batch).toMatchObject({
      id: expect.stringMatching(new RegExp(`^batch_${seconds.toString(16)}[0-9a-f]{24}$`)),
      object: "batch",
      status: "validating",
      input_file_id: inputFileId,
      created_at: seconds,
      expires_at: seconds + 86_400,
      request_counts: { total: 0, completed: 0, failed: 0 },
      metadata: { job: "nightly" },
    });
    expect(api.advanced).toEqual([(await findBatch(api.db(), "one", batch.id))?.batchNo]);
  });

  test("stores the id of the request that created the batch, for the log of the workers", async () => {
    const reply = await post(good);

    const batch = await findBatch(api.db(), "one", String((await jsonOf(reply))["id"]));
    expect(batch?.requestId).toBe(reply.headers.get("x-request-id"));
  });

  test("accepts a missing file, which fails the batch in validation and not the request", async () => {
    expect(await create()).toMatchObject({ status: "validating", input_file_id: "file-1", errors: null });
  });

  test("refuses a file with another purpose", async () => {
    const { id } = await upload(api, { purpose: "user_data" });

    expect(await errorOf(await post({ ...good, input_file_id: id }), 400)).toMatchObject({
      type: "invalid_request_error",
      param: "input_file_id",
      message: expect.stringContaining("'user_data'"),
    });
  });

  test("stores the expiry of the output files", async () => {
    const { id } = await create({ ...good, output_expires_after: { anchor: "created_at", seconds: 7200 } });

    expect(await findBatch(api.db(), "one", id)).toMatchObject({ outputExpiresAfterSeconds: 7200 });
  });

  test.each([
    ["null", null],
    ["no pairs", {}],
    ["16 pairs", Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`key${String(i)}`, "v"]))],
    ["the longest keys and values", { ["🙂".repeat(64)]: "🙂".repeat(512) }],
    ["keys that every object inherits", JSON.parse('{"__proto__":"x","constructor":"y"}') as object],
  ])("returns metadata unchanged: %s", async (_what, metadata) => {
    const { id } = await create({ ...good, metadata });

    const shown = (await jsonOf(await api.fetch(`/v1/batches/${id}`)))["metadata"];
    expect(JSON.parse(JSON.stringify(shown))).toEqual(JSON.parse(JSON.stringify(metadata)));
  });

  test.each([
    [
      { ...good, input_file_id: undefined },
      "input_file_id",
      "missing_required_parameter",
      "Missing required parameter: 'input_file_id'.",
    ],
    [
      { ...good, endpoint: undefined },
      "endpoint",
      "missing_required_parameter",
      "Missing required parameter: 'endpoint'.",
    ],
    [
      { ...good, completion_window: undefined },
      "completion_window",
      "missing_required_parameter",
      "'completion_window'",
    ],
    [{ ...good, input_file_id: 1 }, "input_file_id", "invalid_type", "expected a string, but got an integer"],
    [{ ...good, input_file_id: null }, "input_file_id", "invalid_type", "but got null instead."],
    [{ ...good, input_file_id: "a\0b" }, "input_file_id", "invalid_value", "id of an uploaded file"],
    [
      { ...good, endpoint: "/v1/nope" },
      "endpoint",
      "invalid_value",
      "Invalid value for 'endpoint': '/v1/nope'. Supported values are: '/v1/chat/completions'",
    ],
    [{ ...good, endpoint: ["/v1/embeddings"] }, "endpoint", "invalid_type", "but got an array"],
    [{ ...good, completion_window: "48h" }, "completion_window", "invalid_value", "Supported values are: '24h'."],
    [
      { ...good, completion_window: "" },
      "completion_window",
      "invalid_value",
      "Invalid value for 'completion_window': ''.",
    ],
    [
      { ...good, metadata: { tags: ["a"] } },
      "metadata.tags",
      "invalid_type",
      "Invalid type for 'metadata.tags': expected a string, but got an array instead.",
    ],
    [{ ...good, metadata: { "line\nbreak": 1 } }, "metadata.line\nbreak", "invalid_type", "got an integer"],
    [{ ...good, metadata: "text" }, "metadata", "invalid_type", "expected an object, but got a string"],
    [
      { ...good, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`key${String(i)}`, "v"])) },
      "metadata",
      "invalid_value",
      "16",
    ],
    [
      { ...good, metadata: { ["k".repeat(65)]: "v" } },
      `metadata.${"k".repeat(65)}`,
      "invalid_value",
      "the key must not be longer than 64",
    ],
    [
      { ...good, metadata: { k: "v".repeat(513) } },
      "metadata.k",
      "invalid_value",
      "the value must not be longer than 512",
    ],
    [{ ...good, metadata: { k: "\0" } }, "metadata", "invalid_value", "NUL"],
    [
      { ...good, output_expires_after: { anchor: "created_at" } },
      "output_expires_after.seconds",
      "missing_required_parameter",
      "seconds",
    ],
    [
      { ...good, output_expires_after: { anchor: "x", seconds: 3600 } },
      "output_expires_after.anchor",
      "invalid_value",
      "'created_at'",
    ],
    [
      { ...good, output_expires_after: { anchor: "created_at", seconds: 60 } },
      "output_expires_after.seconds",
      "invalid_value",
      "3600",
    ],
    [
      { ...good, output_expires_after: { anchor: "created_at", seconds: "3600" } },
      "output_expires_after.seconds",
      "invalid_type",
      "integer",
    ],
    [{ ...good, priority: 1 }, "priority", "unknown_parameter", "Unknown parameter: 'priority'."],
  ])("refuses %j", async (body, param, code, message) => {
    expect(await errorOf(await post(body), 400)).toEqual({
      type: "invalid_request_error",
      param,
      code,
      message: expect.stringContaining(message),
    });
    expect(api.advanced).toEqual([]);
  });

  test.each([["{"], ["[]"], ['"text"'], ['{"metadata":{"half":"\\ud83d"}, "input_file_id": 1,}']])(
    "refuses %s, which is not a JSON object",
    async (body) => {
      expect(await errorOf(await post(body), 400)).toMatchObject({ message: expect.stringContaining("JSON") });
    },
  );

  test("refuses a lone surrogate in metadata", async () => {
    const body = JSON.stringify({ ...good, metadata: { half: "HALF" } }).replace("HALF", String.raw`\ud83d`);

    expect(await errorOf(await post(body), 400)).toMatchObject({ param: "metadata" });
  });

  test("refuses a body of over 1 MB", async () => {
    const body = { ...good, metadata: { k: "v".repeat(1_000_001) } };

    expect(await errorOf(await post(body), 400)).toMatchObject({ message: expect.stringContaining("too large") });
  });

  test("reads an empty body as an empty object, and JSON with any Content-Type", async () => {
    expect(await errorOf(await post(""), 400)).toMatchObject({ param: "input_file_id" });
    const reply = await post(good, { headers: { "content-type": "application/x-www-form-urlencoded" } });
    expect(reply.status).toBe(200);
  });

  test("succeeds while the queue is unavailable, because the row is the request", async () => {
    api.queueFailure = new Error("the queue is unavailable");

    const { id } = await create();

    expect(await findBatch(api.db(), "one", id)).toMatchObject({ status: "validating" });
  });
});

describe("GET /v1/batches/{batch_id}", () => {
  test("returns the same object that create returned", async () => {
    const batch = await create();

    const reply = await api.fetch(`/v1/batches/${batch.id}`, { headers: { "content-type": "application/json" } });

    expect(reply.status).toBe(200);
    expect(await jsonOf(reply)).toEqual(batch);
  });

  test.each([["batch_unknown"], ["%00"], ["x".repeat(300)]])("does not find %s", async (id) => {
    expect(await errorOf(await api.fetch(`/v1/batches/${id}`), 404)).toEqual({
      message: `No batch found with id '${decodeURIComponent(id)}'.`,
      type: "invalid_request_error",
      param: null,
      code: null,
    });
  });
});

describe("GET /v1/batches", () => {
  test("pages through all batches, newest first, 20 per page by default", async () => {
    await api.db().query("delete from batch_progress");
    await api.db().query("delete from batches");
    const created: string[] = [];
    for (let i = 0; i < 23; i += 1) created.push((await create()).id);

    const first = await jsonOf(await api.fetch("/v1/batches"));
    const second = await jsonOf(await api.fetch(`/v1/batches?after=${String(first["last_id"])}&limit=20`));

    const ids = [first, second].flatMap((page) => (page["data"] as { id: string }[]).map(({ id }) => id));
    expect(ids).toEqual(created.toReversed());
    expect([first["has_more"], second["has_more"]]).toEqual([true, false]);
    expect(first).toMatchObject({ object: "list", first_id: created[22], last_id: created[3] });
  });

  test("returns an empty page to a tenant without batches", async () => {
    expect(await jsonOf(await api.fetch("/v1/batches", { tenant: "two" }))).toEqual({
      object: "list",
      data: [],
      first_id: null,
      last_id: null,
      has_more: false,
    });
  });

  test.each([
    ["limit=0", "limit"],
    ["limit=101", "limit"],
    ["limit=1.5", "limit"],
    ["after=batch_unknown", "after"],
    ["after=%00", "after"],
  ])("refuses ?%s", async (query, param) => {
    expect(await errorOf(await api.fetch(`/v1/batches?${query}`), 400)).toMatchObject({ param });
  });
});

describe("POST /v1/batches/{batch_id}/cancel", () => {
  const cancel = (id: string, init: RequestInit = {}) =>
    api.fetch(`/v1/batches/${id}/cancel`, { method: "POST", ...init });

  test("moves the batch to cancelling and notifies the workers, and a second call changes nothing", async () => {
    const { id } = await create();
    api.advanced.length = 0;

    const first = await cancel(id);
    const body = await jsonOf(first);
    const second = await cancel(id);

    expect(first.status).toBe(200);
    expect(body).toMatchObject({ id, status: "cancelling", cancelling_at: Math.floor(api.now().getTime() / 1000) });
    expect(second.status).toBe(200);
    expect(await jsonOf(second)).toEqual(body);
    expect(api.advanced).toHaveLength(2);
  });

  test.each([
    [
      "an empty body with a JSON content type",
      { headers: { "content-type": "application/json", "content-length": "0" } },
    ],
    ["a JSON body", { headers: { "content-type": "application/json" }, body: "{}" }],
    ["rubbish", { headers: { "content-type": "application/json" }, body: "{" }],
  ])("accepts %s", async (_what, init) => {
    expect((await cancel((await create()).id, init)).status).toBe(200);
  });

  test("returns 200 for a cancelled batch", async () => {
    const { id } = await create();
    await moveTo(api, await numberOf(id), "cancelled");

    const reply = await cancel(id);

    expect(reply.status).toBe(200);
    expect(await jsonOf(reply)).toMatchObject({ status: "cancelled" });
  });

  test.each(["completed", "failed", "expired"] as const)(
    "refuses a batch that is %s, and tells SDKs not to retry",
    async (status) => {
      const { id } = await create();
      await moveTo(api, await numberOf(id), status);

      const reply = await cancel(id);

      expect(reply.headers.get("x-should-retry")).toBe("false");
      expect(await errorOf(reply, 409)).toEqual({
        message: `Cannot cancel a batch with status '${status}'.`,
        type: "invalid_request_error",
        param: null,
        code: null,
      });
    },
  );

  test("succeeds while the queue is unavailable", async () => {
    const { id } = await create();
    api.queueFailure = new Error("the queue is unavailable");

    expect((await cancel(id)).status).toBe(200);
  });

  test("does not find an unknown batch", async () => {
    expect(await errorOf(await cancel("batch_unknown"), 404)).toMatchObject({
      message: expect.stringContaining("No batch found"),
    });
  });
});
