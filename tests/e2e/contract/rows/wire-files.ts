/**
 * Rows of contract §1.1, §1.2, §1.5 and §2 that need plain HTTP: bytes of forms, headers of downloads, unusual queries.
 */
import { request as httpRequest } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { expect, test } from "@jest/globals";
import { type BatchClient, chatLine, createBatchClient, uploadForm } from "../../batch-client.ts";
import type { ContractFixture } from "../fixture.ts";
import { createWire, envelope, type Json, type Wire } from "../wire.ts";

const LINE = chatLine("a", "Why?");
const input = (name = "input.jsonl"): readonly [Blob, string] => [new Blob([LINE]), name];

/** Registers the rows. */
export function wireFileRows({ stack }: ContractFixture): void {
  const open = (): { client: BatchClient; wire: Wire } => {
    const client = createBatchClient(stack());
    return { client, wire: createWire(client) };
  };
  const uploaded = async (name?: string): Promise<Json & { id: string; filename: string }> => {
    const { status, body } = await open().wire.postForm([
      ["purpose", "batch"],
      ["file", input(name)],
    ]);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body as Json & { id: string; filename: string };
  };

  test("§2: the keys of a File object come in wire order", async () => {
    expect(Object.keys(await uploaded()).join()).toBe(
      "object,id,purpose,filename,bytes,created_at,expires_at,status,status_details",
    );
  });

  test("§1.2: the keys of an Upload object come in wire order", async () => {
    const about = { filename: "a.jsonl", bytes: 1, mime_type: "application/jsonl", purpose: "batch" };
    const { body } = await open().wire.post("/v1/uploads", about);

    expect(Object.keys(body).join()).toBe("id,object,bytes,created_at,filename,purpose,status,expires_at,file");
  });

  test.each([
    ["first", ["anchor", "seconds", "purpose", "file"]],
    ["last", ["file", "purpose", "seconds", "anchor"]],
    ["on both sides of the file", ["seconds", "file", "anchor", "purpose"]],
  ] as const)("§1.1: bracketed expires_after works with its parts %s", async (_where, order) => {
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

  test("§1.1: a chunked body without a Content-Length works, as the Node SDK streams it", async () => {
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
        textOf(reply).then(resolve, reject);
      });
      for (const piece of body) call.write(piece);
      call.end();
    });

    expect(JSON.parse(text)).toMatchObject({ filename: "stream.jsonl", bytes: Buffer.byteLength(LINE) });
  });

  test("§5.1: a file of another format returns 400 with a `detail` next to the error", async () => {
    const message = "Invalid file format for Batch API. Must be .jsonl";
    const reply = await open().client.request("/v1/files", { method: "POST", body: uploadForm(LINE, "input.csv") });

    expect([reply.status, await reply.json()]).toEqual([
      400,
      { ...envelope(message), detail: { message, code: null } },
    ]);
  });

  test.each([
    ["plain.jsonl", `attachment; filename="plain.jsonl"`],
    [`quote".jsonl`, String.raw`attachment; filename="quote\".jsonl"`],
    [
      "größe 日本.jsonl",
      `attachment; filename="gr??e ??.jsonl"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%E6%97%A5%E6%9C%AC.jsonl`,
    ],
  ])("§1.1: a download of %j returns the uploaded bytes and the file's name", async (name, disposition) => {
    // FormData writes a quote as %22, as browsers do. The service keeps the name as it receives it.
    const { id, filename } = await uploaded(name);

    const { client } = open();
    const reply = await client.request(`/v1/files/${id}/content`, { headers: { accept: "application/binary" } });

    expect(reply.status).toBe(200);
    expect(await reply.text()).toBe(LINE);
    expect(reply.headers.get("content-type")).toBe("application/octet-stream");
    expect(reply.headers.get("content-length")).toBe(String(Buffer.byteLength(LINE)));
    const shown = filename === name ? disposition : disposition.replace(String.raw`\"`, "%22");
    expect(reply.headers.get("content-disposition")).toBe(shown);
  });

  test("§1.1: a download supports ranges and If-None-Match", async () => {
    const { client } = open();
    const { id } = await uploaded();
    const path = `/v1/files/${id}/content`;

    const part = await client.request(path, { headers: { range: "bytes=2-5" } });
    const etag = part.headers.get("etag") ?? "";
    const beyond = await client.request(path, { headers: { range: "bytes=100000-" } });
    // fetch would add `no-cache`, which requests the bytes even if the tag matches.
    const headers = { "if-none-match": etag, "cache-control": "max-age=0" };
    const unchanged = await client.request(path, { headers });

    expect([part.status, await part.text()]).toEqual([206, LINE.slice(2, 6)]);
    expect(part.headers.get("content-range")).toBe(`bytes 2-5/${String(LINE.length)}`);
    expect(beyond.status).toBe(416);
    expect(unchanged.status).toBe(304);
  });

  test.each(["limit=", "limit=1&limit=2", "order=asc&order=desc"])(
    "§1.5: GET /v1/files?%s returns 400",
    async (query) => {
      expect(await open().wire.get(`/v1/files?${query}`)).toMatchObject({
        status: 400,
        body: { error: { type: "invalid_request_error", param: query.split("=")[0] } },
      });
    },
  );
}
