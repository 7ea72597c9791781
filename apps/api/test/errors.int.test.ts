/** Behavior of all routes: keys, tenants, the error envelope, headers, and unavailable backends. */
import { describe, expect, test } from "@jest/globals";
import { openDb } from "@nightshift/db";
import { hashKey } from "../src/middleware/authenticate.ts";
import { errorOf, jsonOf, upload, useApi } from "./api-under-test.ts";

const api = useApi();

const routes = [
  ["GET", "/v1/files"],
  ["POST", "/v1/files"],
  ["GET", "/v1/files/file-1"],
  ["DELETE", "/v1/files/file-1"],
  ["GET", "/v1/files/file-1/content"],
  ["GET", "/v1/batches"],
  ["POST", "/v1/batches"],
  ["GET", "/v1/batches/batch_1"],
  ["POST", "/v1/batches/batch_1/cancel"],
] as const;

describe("keys", () => {
  test.each(routes)("%s %s requires a key", async (method, path) => {
    const reply = await api.fetch(path, { method, tenant: null });

    expect(await errorOf(reply, 401)).toEqual({
      message: expect.stringMatching(
        /^You didn't provide an API key\. You need to provide your API key in an Authorization header/,
      ),
      type: "invalid_request_error",
      param: null,
      code: null,
    });
  });

  test.each(routes)("%s %s refuses an invalid key", async (method, path) => {
    const authorization = "Bearer sk-wrong-0123456789";
    const reply = await api.fetch(path, { method, tenant: null, headers: { authorization } });

    expect(await errorOf(reply, 401)).toMatchObject({
      message: expect.stringMatching(/^Incorrect API key provided: sk-w\*+6789\./),
      code: "invalid_api_key",
    });
  });

  test.each([["Basic b25lOnR3bw=="], ["Bearer"], ["Bearer "], ["sk-test"]])(
    "%s is not a valid Authorization header",
    async (authorization) => {
      const reply = await api.fetch("/v1/files", { tenant: null, headers: { authorization } });

      expect(await errorOf(reply, 401)).toMatchObject({ code: null });
    },
  );

  test("accepts the scheme in lower case", async () => {
    const authorization = api.authorization("one").replace("Bearer", "bearer");

    expect((await api.fetch("/v1/files", { tenant: null, headers: { authorization } })).status).toBe(200);
  });

  test("a revoked key stops working within 5 s", async () => {
    const key = "sk-to-be-revoked";
    await api.db().query("insert into api_keys (tenant, hash, hint) values ('one', $1, 'sk')", [hashKey(key)]);
    const get = () => api.fetch("/v1/files", { tenant: null, headers: { authorization: `Bearer ${key}` } });
    expect((await get()).status).toBe(200);

    await api.db().query("update api_keys set revoked_at = now() where hash = $1", [hashKey(key)]);
    api.advanceClock(5);

    await errorOf(await get(), 401);
  });
});

describe("tenants", () => {
  test("get the same 404, byte for byte, for another tenant's object and for a missing one", async () => {
    const file = await upload(api);
    const batch = await jsonOf(
      await api.fetch("/v1/batches", {
        method: "POST",
        body: JSON.stringify({ input_file_id: file.id, endpoint: "/v1/embeddings", completion_window: "24h" }),
      }),
    );
    const batchId = String(batch["id"]);
    const unknown = { file: "file-1234567890123456789012", batch: `batch_${"0".repeat(32)}` };

    for (const [method, path] of routes.filter(([, each]) => /file-1|batch_1/.test(each))) {
      const [theirs, missing] = await Promise.all(
        [
          [file.id, batchId],
          [unknown.file, unknown.batch],
        ].map(async ([fileId = "", id = ""]) => {
          const there = path.replace("file-1", fileId).replace("batch_1", id);
          const reply = await api.fetch(there, { method, tenant: "two" });
          const headers = [...reply.headers.keys()].join();
          return { status: reply.status, headers, text: (await reply.text()).replace(fileId, "ID").replace(id, "ID") };
        }),
      );
      expect(theirs).toEqual(missing);
      expect(theirs?.status).toBe(404);
    }
  });

  test("get the same reply for another tenant's input file and for a missing one", async () => {
    const { id } = await upload(api, { purpose: "user_data" });
    const body = JSON.stringify({ input_file_id: id, endpoint: "/v1/embeddings", completion_window: "24h" });

    expect((await api.fetch("/v1/batches", { method: "POST", body, tenant: "two" })).status).toBe(200);
  });

  test("cannot use another tenant's object as a cursor", async () => {
    const { id } = await upload(api);

    expect(await errorOf(await api.fetch(`/v1/files?after=${id}`, { tenant: "two" }), 400)).toMatchObject({
      param: "after",
    });
  });
});

describe("URLs", () => {
  test.each([["/"], ["/v1"], ["/v1/nothing"], ["/v1/files/a/b/c"], ["/admin/queues"], ["/v1/files/%E0%A4%A"]])(
    "%s is unknown, with and without a key",
    async (path) => {
      for (const tenant of ["one", null] as const) {
        expect(await errorOf(await api.fetch(path, { tenant }), 404)).toEqual({
          message: `Unknown request URL: GET ${path}. Please check the URL for typos.`,
          type: "invalid_request_error",
          param: null,
          code: "unknown_url",
        });
      }
    },
  );

  test.each([
    ["PUT", "/v1/files", "GET, HEAD, POST"],
    ["PATCH", "/v1/files/file-1", "GET, HEAD, DELETE"],
    ["DELETE", "/v1/batches/batch_1", "GET, HEAD"],
    ["GET", "/v1/batches/batch_1/cancel", "POST"],
    ["OPTIONS", "/v1/batches", "GET, HEAD, POST"],
  ])("%s is not allowed on %s", async (method, path, allow) => {
    const reply = await api.fetch(path, { method });

    expect(reply.headers.get("allow")).toBe(allow);
    expect(await errorOf(reply, 405)).toMatchObject({
      message: `Not allowed to ${method} on ${path}. (HINT: Perhaps you meant to use a different HTTP method?)`,
      type: "invalid_request_error",
    });
  });
});

test("every reply has a unique id and its processing time", async () => {
  const replies = [
    await api.fetch("/v1/files"),
    await api.fetch("/v1/nothing"),
    await api.fetch("/v1/files", { tenant: null }),
    await api.fetch("/healthz", { tenant: null }),
  ];

  const ids = replies.map((reply) => reply.headers.get("x-request-id"));
  expect(ids).toEqual(ids.map(() => expect.stringMatching(/^req_[0-9a-f]{32}$/)));
  expect(new Set(ids).size).toBe(ids.length);
  for (const reply of replies) expect(reply.headers.get("openai-processing-ms")).toMatch(/^\d+$/);
});

test("counts requests by route, not by URL", async () => {
  await api.fetch("/v1/files/file-1");

  const text = await (await api.fetch("/metrics", { tenant: null })).text();
  expect(text).toContain('nightshift_http_requests_total{method="GET",route="/v1/files/:file_id",status="404"}');
  expect(text).not.toContain("file-1");
});

describe("while Postgres is unavailable", () => {
  const unavailable = useApi(() => ({ db: openDb({ url: "postgres://nobody@127.0.0.1:1/none" }) }));

  test.each(routes)("%s %s returns 503 with Retry-After", async (method, path) => {
    const reply = await unavailable.fetch(path, { method });

    expect(reply.headers.get("retry-after")).toBe("2");
    expect(await errorOf(reply, 503)).toMatchObject({
      type: "server_error",
      message: expect.stringContaining("cannot reach its database"),
    });
  });
});

describe("while the object store is unavailable", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const unavailable = useApi((usual) => ({
    objects: {
      ...usual.objects,
      putStream: () => Promise.reject(refused),
      openRead: () => Promise.reject(refused),
    },
  }));

  test("an upload returns 503 and stores nothing", async () => {
    const form = new FormData();
    form.set("purpose", "batch");
    form.set("file", new Blob(["{}\n"]), "a.jsonl");
    const reply = await unavailable.fetch("/v1/files", { method: "POST", body: form });

    expect(reply.headers.get("retry-after")).toBe("2");
    expect(await errorOf(reply, 503)).toMatchObject({
      message: expect.stringContaining("cannot reach its object store"),
    });
    expect((await unavailable.db().query("select from blobs")).rowCount).toBe(0);
  });
});

describe("after an unexpected error", () => {
  const logged: unknown[] = [];
  const broken = useApi((usual) => ({
    objects: { ...usual.objects, putStream: () => Promise.reject(new Error("a secret of the inside")) },
    logger: Object.assign(usual.logger.child({}), { error: (fields: unknown) => void logged.push(fields) }),
  }));

  test("the client gets a fixed message with the request id, and the log has the reason", async () => {
    const form = new FormData();
    form.set("purpose", "batch");
    form.set("file", new Blob(["{}\n"]), "a.jsonl");
    const reply = await broken.fetch("/v1/files", { method: "POST", body: form });

    const requestId = reply.headers.get("x-request-id") ?? "";
    const error = await errorOf(reply, 500);
    expect(error).toMatchObject({ type: "server_error", message: expect.stringContaining(requestId) });
    expect(JSON.stringify(error)).not.toContain("secret");
    expect(logged).toEqual([{ err: expect.objectContaining({ message: "a secret of the inside" }), requestId }]);
  });
});

test.each(["/v1/files/", "/v1/batches/"])("%s with a trailing slash returns the same list", async (path) => {
  expect(await jsonOf(await api.fetch(path))).toMatchObject({ object: "list" });
});
