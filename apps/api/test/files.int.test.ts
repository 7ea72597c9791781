/** The routes of an uploaded file: list, retrieve, content, delete. */
import { describe, expect, test } from "@jest/globals";
import { errorOf, jsonOf, upload, useApi } from "./api-under-test.ts";

const api = useApi();

async function list(query = "", tenant: "one" | "two" = "one"): Promise<Record<string, unknown> & { ids: string[] }> {
  const reply = await api.fetch(`/v1/files${query}`, { tenant });
  const body = await jsonOf(reply);
  if (reply.status !== 200) throw new Error(JSON.stringify(body));
  return { ...body, ids: (body["data"] as { id: string }[]).map(({ id }) => id) };
}

describe("GET /v1/files/{file_id}", () => {
  test("returns the same object as the upload", async () => {
    const created = await upload(api);

    const reply = await api.fetch(`/v1/files/${created.id}`);

    expect(reply.status).toBe(200);
    expect(await jsonOf(reply)).toEqual(created);
  });

  test("accepts a JSON content type on a request without a body", async () => {
    const { id } = await upload(api);

    expect((await api.fetch(`/v1/files/${id}`, { headers: { "content-type": "application/json" } })).status).toBe(200);
  });
});

describe("GET /v1/files/{file_id}/content", () => {
  const text = '{"a":"größe"}\n{"b":2}\n';
  const bytes = Buffer.from(text);
  const get = async (headers: Record<string, string> = {}, method = "GET") => {
    const { id } = await upload(api, { text, filename: 'my "input".jsonl' });
    return api.fetch(`/v1/files/${id}/content`, { headers, method });
  };

  test("returns the bytes and the headers of the contract", async () => {
    const reply = await get({ accept: "application/binary" });

    expect(reply.status).toBe(200);
    expect(await reply.text()).toBe(text);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "content-type": "application/octet-stream",
      "content-length": String(bytes.length),
      "content-disposition": 'attachment; filename="my \\"input\\".jsonl"',
      etag: expect.stringMatching(/^"[^"]+"$/),
    });
  });

  test("returns the same headers and no body to HEAD", async () => {
    const reply = await get({}, "HEAD");

    expect(reply.headers.get("content-length")).toBe(String(bytes.length));
    expect(await reply.text()).toBe("");
  });

  test.each([
    ["bytes=0-4", 0, 5],
    ["bytes=-3", bytes.length - 3, bytes.length],
    ["bytes=9-", 9, bytes.length],
    ["bytes=9-1000", 9, bytes.length],
  ])("returns the range %s", async (range, start, end) => {
    const reply = await get({ range });

    expect(reply.status).toBe(206);
    expect(Buffer.from(await reply.arrayBuffer())).toEqual(bytes.subarray(start, end));
    expect(reply.headers.get("content-range")).toBe(
      `bytes ${String(start)}-${String(end - 1)}/${String(bytes.length)}`,
    );
    expect(reply.headers.get("content-length")).toBe(String(end - start));
  });

  test.each([
    [{ range: "bytes=1-2,4-5" }],
    [{ range: "lines=1-2" }],
    [{ range: "bytes=1-2", "if-range": '"of older bytes"' }],
  ])("returns the whole file for %j", async (headers) => {
    const reply = await get(headers);

    expect(reply.status).toBe(200);
    expect(await reply.text()).toBe(text);
  });

  test("refuses a range beyond the end", async () => {
    const reply = await get({ range: "bytes=1000-" });

    expect(reply.headers.get("content-range")).toBe(`bytes */${String(bytes.length)}`);
    expect(reply.headers.get("content-disposition")).toBeNull();
    expect(await errorOf(reply, 416)).toMatchObject({ param: "Range", code: "range_not_satisfiable" });
  });

  test("returns 304 to a client that has the content", async () => {
    const { id } = await upload(api, { text });
    const etag = (await api.fetch(`/v1/files/${id}/content`)).headers.get("etag") ?? "";

    const reply = await api.fetch(`/v1/files/${id}/content`, {
      // Without it, Node's fetch sends `cache-control: no-cache`, and the server then sends everything.
      headers: { "if-none-match": etag, "cache-control": "max-age=0" },
    });

    expect(reply.status).toBe(304);
    expect(await reply.text()).toBe("");
  });

  test("returns a file of several megabytes byte for byte", async () => {
    const large = Array.from({ length: 200_000 }, (_, i) => `{"line":${String(i)}}\n`).join("");
    const { id } = await upload(api, { text: large });

    expect(await (await api.fetch(`/v1/files/${id}/content`)).text()).toBe(large);
  });

  test.each([["assistants"], ["user_data"]])("refuses files of purpose %s", async (purpose) => {
    const { id } = await upload(api, { purpose });

    expect(await errorOf(await api.fetch(`/v1/files/${id}/content`), 400)).toEqual({
      message: `Not allowed to download files of purpose: ${purpose}`,
      type: "invalid_request_error",
      param: null,
      code: null,
    });
  });

  test("returns 500 if the bytes are missing", async () => {
    const { id } = await upload(api);
    await api.objects().delete([`files/${id}`]);

    expect(await errorOf(await api.fetch(`/v1/files/${id}/content`), 500)).toMatchObject({ type: "server_error" });
  });
});

describe("DELETE /v1/files/{file_id}", () => {
  test("removes the file from every route, and returns 404 the second time", async () => {
    const { id } = await upload(api);

    const reply = await api.fetch(`/v1/files/${id}`, { method: "DELETE" });

    expect(reply.status).toBe(200);
    expect(await jsonOf(reply)).toEqual({ object: "file", id, deleted: true });
    for (const [method, path] of [
      ["GET", `/v1/files/${id}`],
      ["GET", `/v1/files/${id}/content`],
      ["DELETE", `/v1/files/${id}`],
    ] as const) {
      expect(await errorOf(await api.fetch(path, { method }), 404)).toEqual({
        message: `No such File object: ${id}`,
        type: "invalid_request_error",
        param: "id",
        code: null,
      });
    }
    expect((await list()).ids).not.toContain(id);
  });
});

test("an expired file returns 404 on every route", async () => {
  const { id } = await upload(api, { expiresAfter: 3600 });
  api.advanceClock(3599);
  expect((await api.fetch(`/v1/files/${id}`)).status).toBe(200);

  api.advanceClock(1);

  await errorOf(await api.fetch(`/v1/files/${id}`), 404);
  await errorOf(await api.fetch(`/v1/files/${id}/content`), 404);
  await errorOf(await api.fetch(`/v1/files/${id}`, { method: "DELETE" }), 404);
  expect((await list()).ids).not.toContain(id);
});

describe("GET /v1/files", () => {
  test("is an empty page for a tenant without files", async () => {
    expect(await list("?limit=5", "two")).toEqual({
      object: "list",
      data: [],
      first_id: null,
      last_id: null,
      has_more: false,
      ids: [],
    });
  });

  test("pages through all files in both orders, each once", async () => {
    for (const { id } of (await list()).data as { id: string }[])
      await api.fetch(`/v1/files/${id}`, { method: "DELETE" });
    const created: string[] = [];
    for (let i = 0; i < 5; i += 1) created.push((await upload(api)).id);

    const pagesOf = async (order: string) => {
      const pages: string[][] = [];
      for (
        let query = `?limit=2&order=${order}`;
        ;
        query = `?limit=2&order=${order}&after=${pages.at(-1)?.at(-1) ?? ""}`
      ) {
        const page = await list(query);
        pages.push(page.ids);
        expect(page).toMatchObject({ first_id: page.ids[0], last_id: page.ids.at(-1) });
        if (page["has_more"] !== true) return pages;
      }
    };

    expect((await pagesOf("asc")).flat()).toEqual(created);
    expect((await pagesOf("desc")).map((page) => page.length)).toEqual([2, 2, 1]);
    expect((await list()).ids).toEqual(created.toReversed());
  });

  test("continues after a file that was deleted in between", async () => {
    const first = await upload(api);
    const second = await upload(api);
    await api.fetch(`/v1/files/${second.id}`, { method: "DELETE" });

    expect((await list(`?after=${second.id}&limit=1`)).ids).toEqual([first.id]);
  });

  test("filters by purpose", async () => {
    const { id } = await upload(api, { purpose: "evals" });
    await upload(api);

    expect((await list("?purpose=evals")).ids).toEqual([id]);
    expect((await list("?purpose=batch_output")).ids).toEqual([]);
  });

  test.each([
    ["limit=0", "limit"],
    ["limit=10001", "limit"],
    ["limit=many", "limit"],
    ["limit=1&limit=2", "limit"],
    ["order=random", "order"],
    ["after=file-unknown", "after"],
    ["after=%00", "after"],
    ["purpose=%00", "purpose"],
  ])("refuses ?%s", async (query, param) => {
    expect(await errorOf(await api.fetch(`/v1/files?${query}`), 400)).toMatchObject({
      type: "invalid_request_error",
      param,
    });
  });
});
