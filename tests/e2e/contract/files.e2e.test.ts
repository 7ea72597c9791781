/** Contract §1.1 and §2, row by row, by plain HTTP: files and what is said of them. */
import { request as httpRequest } from "node:http";
import { describe, expect, test } from "@jest/globals";
import { availableProfiles } from "@nightshift/testing";
import { type BatchClient, chatLine, createBatchClient } from "../batch-client.ts";
import { useStack } from "../use-stack.ts";
import { createWire, envelope, idsOf, type Json, type Wire } from "./wire.ts";

const LINE = chatLine("a", "Why?");
const input = (name = "input.jsonl", text = LINE): readonly [Blob, string] => [new Blob([text]), name];
const THIRTY_DAYS = 2_592_000;

describe.each(availableProfiles())("%s", (profile) => {
  const { stack } = useStack({ profile });
  const open = (): { client: BatchClient; wire: Wire } => {
    const client = createBatchClient(stack());
    return { client, wire: createWire(client) };
  };
  const uploaded = async (purpose: string, name?: string, text?: string): Promise<Json & { id: string }> => {
    const { body, status } = await open().wire.postForm([
      ["purpose", purpose],
      ["file", input(name, text)],
    ]);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body as Json & { id: string };
  };

  test("§2: the File object has every key, in wire order, and is processed at once", async () => {
    const file = await uploaded("batch");

    expect(Object.keys(file).join()).toBe(
      "object,id,purpose,filename,bytes,created_at,expires_at,status,status_details",
    );
    expect(file).toEqual({
      object: "file",
      id: expect.stringMatching(/^file-[1-9A-HJ-NP-Za-km-z]{22}$/),
      purpose: "batch",
      filename: "input.jsonl",
      bytes: Buffer.byteLength(LINE),
      created_at: expect.any(Number),
      expires_at: (file["created_at"] as number) + THIRTY_DAYS,
      status: "processed",
      status_details: null,
    });
    expect((await open().wire.get(`/v1/files/${file.id}`)).body).toEqual(file);
  });

  test.each(["assistants", "fine-tune", "vision", "user_data", "evals"])(
    "§1.1: purpose %s is taken, whatever is in the file, and does not expire",
    async (purpose) => {
      expect(await uploaded(purpose, "picture.png", "")).toMatchObject({ purpose, bytes: 0, expires_at: null });
    },
  );

  test.each([
    ["first", ["anchor", "seconds", "purpose", "file"]],
    ["last", ["file", "purpose", "seconds", "anchor"]],
    ["on both sides of the file", ["seconds", "file", "anchor", "purpose"]],
  ] as const)("§1.1: bracketed expires_after, its parts %s", async (_where, order) => {
    const parts = {
      anchor: ["expires_after[anchor]", "created_at"],
      seconds: ["expires_after[seconds]", "3600"],
      purpose: ["purpose", "batch"],
      file: ["file", input()],
    } as const;

    const { status, body } = await open().wire.postForm(order.map((name) => parts[name]));

    expect(status).toBe(200);
    expect(body["expires_at"]).toBe((body["created_at"] as number) + 3_600);
  });

  test("§1.1: expires_after holds for other purposes too, from 3600 to 2592000 seconds", async () => {
    const { wire } = open();
    const ask = (seconds: string) =>
      wire.postForm([
        ["purpose", "user_data"],
        ["expires_after[anchor]", "created_at"],
        ["expires_after[seconds]", seconds],
        ["file", input()],
      ]);

    const taken = await ask("2592000");

    expect(taken.body["expires_at"]).toBe((taken.body["created_at"] as number) + THIRTY_DAYS);
    for (const seconds of ["3599", "2592001"]) {
      expect(await ask(seconds)).toMatchObject({
        status: 400,
        body: { error: { param: "expires_after.seconds", type: "invalid_request_error" } },
      });
    }
  });

  test("§1.1: a chunked body without a Content-Length, as the Node SDK streams it", async () => {
    const boundary = "----chunked";
    const part = (head: string, text: string): string =>
      `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${text}\r\n`;
    const body = [
      part(`name="file"; filename="stream.jsonl"`, LINE),
      part(`name="purpose"`, "batch"),
      `--${boundary}--\r\n`,
    ];

    const text = await new Promise<string>((resolve, reject) => {
      const call = httpRequest(`${stack().url}/v1/files`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${stack().key}`,
          "content-type": `multipart/form-data; boundary=${boundary}`,
          "transfer-encoding": "chunked",
        },
      });
      call.once("error", reject);
      call.once("response", (reply) => {
        reply.setEncoding("utf8");
        const chunks: string[] = [];
        reply.on("data", (chunk: string) => chunks.push(chunk));
        reply.once("end", () => {
          resolve(chunks.join(""));
        });
      });
      for (const piece of body) call.write(piece);
      call.end();
    });

    expect(JSON.parse(text)).toMatchObject({ filename: "stream.jsonl", bytes: Buffer.byteLength(LINE) });
  });

  test.each(["upload", "unknown_file", "INPUT.JSONL"])("§1.1, §7.23: a batch's input may be named %s", async (name) => {
    expect(await uploaded("batch", name)).toMatchObject({ filename: name });
  });

  test.each([
    ["another extension", "input.csv", LINE],
    ["no bytes", "input.jsonl", ""],
    ["a first line that is not JSON", "input.jsonl", "custom_id;method\n"],
  ])("§5.2: an upload for a batch with %s is 400", async (_what, name, text) => {
    const { status, body } = await open().wire.postForm([
      ["purpose", "batch"],
      ["file", input(name, text)],
    ]);

    expect(status).toBe(400);
    expect(body).toMatchObject(envelope("Invalid file format for Batch API. Must be .jsonl"));
  });

  test("§1.1, §7.10: a later bad line is the batch's fault, not the upload's", async () => {
    expect(await uploaded("batch", "input.jsonl", `${LINE}\n{\n`)).toMatchObject({ status: "processed" });
  });

  test("§5.2: a purpose that is none is 400 and names those that are", async () => {
    const { status, body } = await open().wire.postForm([
      ["purpose", "batches"],
      ["file", input()],
    ]);

    expect(status).toBe(400);
    expect(body).toEqual(
      envelope(
        "'batches' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'",
        "purpose",
      ),
    );
  });

  test.each([
    ["purpose", [["file", input()]]],
    ["file", [["purpose", "batch"]]],
  ] as const)("§1.1: %s is required", async (name, parts) => {
    const { status, body } = await open().wire.postForm(parts);

    expect(status).toBe(400);
    expect(body).toEqual(envelope(`Missing required parameter: '${name}'.`, name, "missing_required_parameter"));
  });

  test.each([
    ["plain.jsonl", `attachment; filename="plain.jsonl"`],
    [`quote".jsonl`, String.raw`attachment; filename="quote\".jsonl"`],
    [
      "größe 日本.jsonl",
      `attachment; filename="gr??e ??.jsonl"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%E6%97%A5%E6%9C%AC.jsonl`,
    ],
  ])("§1.1: content of %j comes as it went, with its name", async (name, disposition) => {
    const { client } = open();
    // FormData writes a quote as %22, as browsers do; the raw name is what the service is asked to keep.
    const { id, filename } = await uploaded("batch", name);

    const reply = await client.request(`/v1/files/${id}/content`, { headers: { accept: "application/binary" } });

    expect(reply.status).toBe(200);
    expect(await reply.text()).toBe(LINE);
    expect(reply.headers.get("content-type")).toBe("application/octet-stream");
    expect(reply.headers.get("content-length")).toBe(String(Buffer.byteLength(LINE)));
    const shown = filename === name ? disposition : disposition.replace(String.raw`\"`, "%22");
    expect(reply.headers.get("content-disposition")).toBe(shown);
  });

  test("§1.1: part of the content, and nothing where the client has it", async () => {
    const { client } = open();
    const { id } = await uploaded("batch");
    const path = `/v1/files/${id}/content`;

    const part = await client.request(path, { headers: { range: "bytes=2-5" } });
    const etag = part.headers.get("etag") ?? "";
    const beyond = await client.request(path, { headers: { range: "bytes=100000-" } });
    // fetch would add `no-cache`, which asks for the bytes whatever the tag is.
    const headers = { "if-none-match": etag, "cache-control": "max-age=0" };
    const unchanged = await client.request(path, { headers });

    expect([part.status, await part.text()]).toEqual([206, LINE.slice(2, 6)]);
    expect(part.headers.get("content-range")).toBe(`bytes 2-5/${String(LINE.length)}`);
    expect(beyond.status).toBe(416);
    expect(unchanged.status).toBe(304);
  });

  test.each(["fine-tune", "vision", "batch", "evals"])("§1.1: content of purpose %s is handed out", async (purpose) => {
    const { id } = await uploaded(purpose);

    expect((await open().client.content(id)).toString()).toBe(LINE);
  });

  test.each(["assistants", "user_data"])("§5.2: content of purpose %s is not", async (purpose) => {
    const { id } = await uploaded(purpose);

    const { status, body } = await open().wire.get(`/v1/files/${id}/content`);

    expect([status, body]).toEqual([400, envelope(`Not allowed to download files of purpose: ${purpose}`)]);
  });

  test("§1.1: delete has three keys, and a second time there is no such file, by any route", async () => {
    const { wire } = open();
    const { id } = await uploaded("batch");

    const first = await wire.remove(`/v1/files/${id}`);
    const missing = { status: 404, body: envelope(`No such File object: ${id}`, "id") };

    expect([first.status, first.body]).toEqual([200, { object: "file", id, deleted: true }]);
    expect(await wire.remove(`/v1/files/${id}`)).toMatchObject(missing);
    expect(await wire.get(`/v1/files/${id}`)).toMatchObject(missing);
    expect(await wire.get(`/v1/files/${id}/content`)).toMatchObject(missing);
    expect(idsOf((await wire.get("/v1/files")).body)).not.toContain(id);
  });

  test("§1.1, §1.5: lists by purpose, limit, order and after; ties in created_at lose nothing", async () => {
    const { wire } = open();
    const made = await Promise.all(Array.from({ length: 9 }, (_, i) => uploaded("evals", `${String(i)}.txt`)));
    const all = idsOf((await wire.get("/v1/files?purpose=evals")).body);
    const walk = async (order: string): Promise<string[]> => {
      const seen: string[] = [];
      for (let after = ""; ; after = `&after=${seen.at(-1) ?? ""}`) {
        const { body } = await wire.get(`/v1/files?purpose=evals&limit=4&order=${order}${after}`);
        const ids = idsOf(body);
        expect(body).toMatchObject({ object: "list", first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null });
        seen.push(...ids);
        if (body["has_more"] !== true) return seen;
      }
    };

    expect(all).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
    expect(await walk("desc")).toEqual(all);
    expect(await walk("asc")).toEqual([...all].reverse());
    expect((await wire.get("/v1/files?limit=10000")).status).toBe(200);
    expect((await wire.get("/v1/files?purpose=none-of-these")).body).toEqual({
      object: "list",
      data: [],
      first_id: null,
      last_id: null,
      has_more: false,
    });
  });

  test.each([
    ["limit=0", "limit"],
    ["limit=10001", "limit"],
    ["limit=many", "limit"],
    ["limit=1.5", "limit"],
    ["limit=1&limit=2", "limit"],
    ["order=newest", "order"],
    ["after=file-nothing", "after"],
    ["after=%00", "after"],
  ])("§1.5: GET /v1/files?%s is 400", async (query, param) => {
    expect(await open().wire.get(`/v1/files?${query}`)).toMatchObject({
      status: 400,
      body: { error: { type: "invalid_request_error", param } },
    });
  });
});
