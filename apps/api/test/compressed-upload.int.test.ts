/** Compressed uploads over HTTP: the decompressed bytes are stored and limited, and a refused upload leaves nothing. */
import { randomBytes } from "node:crypto";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { MAX_BATCH_FILE_BYTES } from "@nightshift/domain";
import { until } from "@nightshift/testing";
import { errorOf, jsonOf, objectKeys, useApi } from "./api-under-test.ts";
import { bomb, rawFrame, REFERENCE_FRAME, REFERENCE_TEXT } from "./zstd-frames.ts";

const api = useApi();
const text = Array.from({ length: 5000 }, (_, i) => `{"custom_id":"${String(i)}"}\n`).join("");

type Order = "purpose first" | "file first";
const ORDERS: readonly Order[] = ["purpose first", "file first"];

interface Part {
  readonly bytes: Buffer;
  readonly filename: string;
  readonly purpose?: string;
  readonly order?: Order;
}

function form({ bytes, filename, purpose = "batch", order = "purpose first" }: Part): FormData {
  const made = new FormData();
  if (order === "purpose first") made.set("purpose", purpose);
  made.set("file", new Blob([bytes]), filename);
  made.set("purpose", purpose);
  return made;
}

const post = (part: Part): Promise<Response> => api.fetch("/v1/files", { method: "POST", body: form(part) });

/** Sends the whole form encoded. */
async function postEncoded(encode: (body: Buffer) => Buffer, coding: string, part: Part): Promise<Response> {
  const plain = new Response(form(part));
  const headers = { "content-type": plain.headers.get("content-type") ?? "", "content-encoding": coding };
  return api.fetch("/v1/files", { method: "POST", headers, body: encode(Buffer.from(await plain.arrayBuffer())) });
}

async function expectFile(reply: Response, filename: string, content: string | Buffer): Promise<void> {
  const file = await jsonOf(reply);
  expect(file).toMatchObject({ filename, bytes: Buffer.byteLength(content) });
  const stored = Buffer.from(await (await api.fetch(`/v1/files/${String(file["id"])}/content`)).arrayBuffer());
  expect(stored.equals(Buffer.from(content))).toBe(true);
}

/** Sends a request that must be refused, and checks that it left no object and no blob. */
async function expectRefused(send: () => Promise<Response>, message: RegExp): Promise<void> {
  const notes = async (): Promise<unknown[]> =>
    (await api.db().query<{ key: string }>("select key from blobs order by key")).rows;
  const [objects, blobs] = [(await objectKeys(api)).sort(), await notes()];
  const error = await errorOf(await send(), 400);

  expect(error["message"]).toMatch(message);
  await until(async () => JSON.stringify(await notes()) === JSON.stringify(blobs), { message: "a blob was left" });
  expect((await objectKeys(api)).sort()).toEqual(objects);
}

describe.each(ORDERS)("a compressed file, %s", (order) => {
  test("is stored decompressed, under its name without the suffix", async () => {
    await expectFile(await post({ bytes: gzipSync(text), filename: "in.jsonl.gz", order }), "in.jsonl", text);
    await expectFile(
      await post({ bytes: REFERENCE_FRAME, filename: "in.jsonl.zst", order }),
      "in.jsonl",
      REFERENCE_TEXT,
    );
    expect((await objectKeys(api)).filter((key) => key.endsWith(".raw"))).toEqual([]);
  });

  test("for a purpose other than batch is stored unchanged", async () => {
    const bytes = gzipSync(text);
    const reply = await post({ bytes, filename: "kept.jsonl.gz", purpose: "vision", order });

    await expectFile(reply, "kept.jsonl.gz", bytes);
  });

  test("that is damaged, empty or not JSON is refused and leaves nothing", async () => {
    const zst = (bytes: Buffer) => () => post({ bytes, filename: "in.jsonl.zst", order });
    const gz = (bytes: Buffer) => () => post({ bytes, filename: "in.jsonl.gz", order });

    await expectRefused(gz(gzipSync(randomBytes(100_000)).subarray(0, 50_000)), /could not decompress|Invalid file/);
    await expectRefused(gz(gzipSync(text).subarray(0, 5000)), /could not decompress your gzip data/);
    await expectRefused(zst(REFERENCE_FRAME.subarray(0, 70)), /could not decompress your zstd data/);
    await expectRefused(gz(Buffer.from(text)), /could not decompress your gzip data/);
    await expectRefused(gz(gzipSync("")), /Invalid file format/);
    await expectRefused(gz(gzipSync("not json\n")), /Invalid file format/);
  });

  test("that is too large for a batch is decompressed up to the limit only", async () => {
    const blocks = MAX_BATCH_FILE_BYTES / (128 * 1024);
    const gzip = gzipSync(Buffer.concat([Buffer.from("{}\n"), Buffer.alloc(MAX_BATCH_FILE_BYTES, 0x20)]));

    await expectRefused(() => post({ bytes: bomb("{}\n", blocks), filename: "in.jsonl.zst", order }), /too large/);
    await expectRefused(() => post({ bytes: gzip, filename: "in.jsonl.gz", order }), /too large/);
    // Decompressing all of this would take minutes.
    await expectRefused(() => post({ bytes: bomb("{}\n", 90_000), filename: "in.jsonl.zst", order }), /too large/);
  });
});

describe("a compressed request", () => {
  const part = { bytes: Buffer.from(text), filename: "in.jsonl" };

  test.each<[string, (body: Buffer) => Buffer]>([
    ["gzip", (body) => gzipSync(body)],
    ["zstd", rawFrame],
  ])("in %s is read like an uncompressed one", async (coding, encode) => {
    await expectFile(await postEncoded(encode, coding, part), "in.jsonl", text);
    await expectFile(await postEncoded(encode, coding, { ...part, order: "file first" }), "in.jsonl", text);
    const inner = { bytes: gzipSync(text), filename: "in.jsonl.gz" };
    await expectFile(await postEncoded(encode, coding, inner), "in.jsonl", text);
  });

  test("that is damaged or has another coding is refused and leaves nothing", async () => {
    const gzip = (body: Buffer): Buffer => gzipSync(body);

    await expectRefused(
      () => postEncoded((body) => gzip(body).subarray(0, 3000), "gzip", part),
      /could not decompress/,
    );
    await expectRefused(() => postEncoded((body) => body, "gzip", part), /could not decompress/);
    await expectRefused(() => postEncoded((body) => body, "zstd", part), /could not decompress/);
    await expectRefused(() => postEncoded(brotliCompressSync, "br", part), /Unsupported Content-Encoding: 'br'/);
  });

  test("that is a zip bomb is read up to the limit only, and the service keeps running", async () => {
    const large = { bytes: Buffer.alloc(MAX_BATCH_FILE_BYTES + 1, "{}\n"), filename: "in.jsonl" };

    await expectRefused(() => postEncoded((body) => gzipSync(body, { level: 1 }), "gzip", large), /too large/);
    const headers = { "content-type": "multipart/form-data; boundary=x", "content-encoding": "zstd" };
    const preamble = bomb("no part begins here", 90_000);
    await expectRefused(() => api.fetch("/v1/files", { method: "POST", headers, body: preamble }), /too large/);
    expect((await api.fetch("/v1/files")).status).toBe(200);
  });
});

describe("a compressed JSON body", () => {
  const body = JSON.stringify({ input_file_id: "file-1", endpoint: "/v1/embeddings", completion_window: "24h" });
  const create = (bytes: Buffer, coding: string): Promise<Response> =>
    api.fetch("/v1/batches", { method: "POST", headers: { "content-encoding": coding }, body: bytes });

  test("in gzip creates a batch", async () => {
    expect(await jsonOf(await create(gzipSync(body), "gzip"))).toMatchObject({ status: "validating" });
  });

  test("that is damaged, too large or has another coding is refused with the reason", async () => {
    const messageOf = async (reply: Response): Promise<unknown> => (await errorOf(reply, 400))["message"];

    // zstd is not tested here, because body-parser decodes it if Node can (from 22.15 on).
    expect(await messageOf(await create(Buffer.from(body), "compress"))).toMatch(/Unsupported .*'gzip'/);
    expect(await messageOf(await create(gzipSync(body).subarray(0, 30), "gzip"))).toMatch(/could not decompress/);
    expect(await messageOf(await create(Buffer.from(body), "gzip"))).toMatch(/could not decompress/);
    expect(await messageOf(await create(gzipSync(Buffer.alloc(2_000_000, 0x20)), "gzip"))).toMatch(/too large/);
  });
});
