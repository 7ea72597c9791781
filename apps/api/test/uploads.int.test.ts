/** /v1/uploads: files that arrive in parts, on every object store. */
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { ObjectStore } from "@nightshift/storage";
import { until } from "@nightshift/testing";
import { errorOf, jsonOf, objectKeys, useApi } from "./api-under-test.ts";
import { availableStores, faultOf, goodJson, line, quietMoments, uploadCalls, withMoments } from "./uploads-fixture.ts";

const MIB = 1024 * 1024;
const bytesOf = (text: string): number => Buffer.byteLength(text);
const md5Of = (text: string): ReturnType<typeof createHash> => createHash("md5").update(text);

describe.each(availableStores())("%s", (_name, open) => {
  const moments = quietMoments();
  let store: ObjectStore;
  beforeAll(async () => {
    store = await open();
    await store.ready();
  });
  afterAll(() => store.close());
  const api = useApi(() => ({ objects: withMoments(store, moments) }));
  const { post, create, sendPart, complete, cancel, createUpload, addPart } = uploadCalls(api);

  const contentOf = async (file: unknown): Promise<string> =>
    (await api.fetch(`/v1/files/${(file as { id: string }).id}/content`)).text();
  const seconds = (): number => Math.floor(api.now().getTime() / 1000);

  /** Waits until exactly these objects exist, each with its blob, and no part has a row. */
  async function expectOnlyObjects(...keys: string[]): Promise<void> {
    const seen = async (): Promise<string> => {
      const { rows: notes } = await api.db().query<{ key: string }>("select key from blobs");
      const { rows: parts } = await api.db().query("select id from upload_parts");
      return JSON.stringify([(await objectKeys(api)).sort(), notes.map(({ key }) => key).sort(), parts]);
    };
    const wanted = JSON.stringify([[...keys].sort(), [...keys].sort(), []]);
    await until(async () => (await seen()) === wanted, { message: `only ${keys.join()} remain` });
  }
  async function fileCount(): Promise<number> {
    const { rows } = await api.db().query<{ count: number }>("select count(*)::int as count from files");
    return rows[0]?.count ?? 0;
  }

  beforeEach(async () => {
    Object.assign(moments, quietMoments());
    await api.db().query("truncate uploads, upload_parts, files, blobs, batches cascade");
    await api.objects().delete(await objectKeys(api));
  });

  describe("an upload", () => {
    test("becomes a file with the bytes of its parts in the order of part_ids", async () => {
      const text = line + line + line;
      const upload = await createUpload(bytesOf(text));
      const [end, begin] = [await addPart(upload.id, text.slice(50)), await addPart(upload.id, text.slice(0, 50))];

      const completed = await goodJson(await complete(upload.id, [begin, end]));

      expect(upload).toEqual({
        id: expect.stringMatching(/^upload_[\da-f]{32}$/),
        object: "upload",
        bytes: bytesOf(text),
        created_at: seconds(),
        filename: "input.jsonl",
        purpose: "batch",
        status: "pending",
        expires_at: seconds() + 3600,
        file: null,
      });
      const { file } = completed;
      expect(completed).toEqual({ ...upload, status: "completed", file });
      expect(await goodJson(await api.fetch(`/v1/files/${(file as { id: string }).id}`))).toEqual(file);
      expect(file).toMatchObject({ bytes: bytesOf(text), filename: "input.jsonl", expires_at: seconds() + 2_592_000 });
      expect(await contentOf(file)).toBe(text);
      await expectOnlyObjects(`files/${(file as { id: string }).id}`);
    });

    test("returns the UploadPart object for a part", async () => {
      const { id } = await createUpload(1);

      expect(await goodJson(await sendPart(id, "a"))).toEqual({
        id: expect.stringMatching(/^part_[\da-f]{32}$/),
        object: "upload.part",
        created_at: seconds(),
        upload_id: id,
      });
    });

    test("joins large and small parts byte for byte", async () => {
      const [large, small, last] = [Buffer.alloc(6 * MIB, "a"), Buffer.from("b\n"), Buffer.alloc(5 * MIB + 1, "c")];
      const bytes = Buffer.concat([large, small, last]);
      const { id } = await createUpload(bytes.length, { purpose: "user_data", filename: "a.bin" });
      const parts = [];
      for (const part of [large, small, last]) parts.push(await addPart(id, part));

      const { file } = await goodJson(await complete(id, parts));

      const stored = await api.objects().read(`files/${(file as { id: string }).id}`);
      expect(stored.equals(bytes)).toBe(true);
      expect(file).toMatchObject({ bytes: bytes.length, expires_at: null });
    });

    test("without bytes can be completed without parts, or with an empty one", async () => {
      const [none, empty] = [
        await createUpload(0, { purpose: "user_data" }),
        await createUpload(0, { purpose: "user_data" }),
      ];
      const part = await addPart(empty.id, "");

      expect(await goodJson(await complete(none.id, []))).toMatchObject({ file: { bytes: 0 } });
      expect(await goodJson(await complete(empty.id, [part]))).toMatchObject({ file: { bytes: 0 } });
    });

    test("leaves out a part that is not listed, because it was sent again", async () => {
      const { id } = await createUpload(bytesOf(line));
      await addPart(id, line);
      const again = await addPart(id, line);

      const { file } = await goodJson(await complete(id, [again]));

      expect(await contentOf(file)).toBe(line);
      await expectOnlyObjects(`files/${(file as { id: string }).id}`);
    });

    test("gives its file the requested life, counted from the completion", async () => {
      const { id } = await createUpload(bytesOf(line), { expires_after: { anchor: "created_at", seconds: 7200 } });
      const part = await addPart(id, line);
      api.advanceClock(100);

      const { file } = await goodJson(await complete(id, [part]));

      expect(file).toMatchObject({ created_at: seconds(), expires_at: seconds() + 7200 });
    });

    test.each(["hex", "base64"] as const)("accepts an MD5 in %s", async (encoding) => {
      const { id } = await createUpload(bytesOf(line));
      const part = await addPart(id, line);

      expect((await complete(id, [part], md5Of(line).digest(encoding))).status).toBe(200);
    });

    test("returns the same reply to a second completion with the same parts, and refuses one with others", async () => {
      const { id } = await createUpload(bytesOf(line));
      const parts = [await addPart(id, line.slice(0, 9)), await addPart(id, line.slice(9))];
      const first = await goodJson(await complete(id, parts));

      expect(await goodJson(await complete(id, parts))).toEqual(first);
      expect(await faultOf(await complete(id, parts.toReversed()))).toEqual({
        param: "part_ids",
        message: expect.stringContaining("completed with other parts"),
      });
      expect(await fileCount()).toBe(1);
    });

    test("is cancelled without a body but with a JSON content type, and again with the same reply", async () => {
      const upload = await createUpload(10);
      await addPart(upload.id, "abc");

      const cancelled = await goodJson(await cancel(upload.id));

      expect(cancelled).toEqual({ ...upload, status: "cancelled" });
      expect(await goodJson(await cancel(upload.id))).toEqual(cancelled);
      await expectOnlyObjects();
    });
  });

  describe("refuses", () => {
    test.each([
      [{ bytes: "1" }, "bytes", "expected an integer"],
      [{ bytes: -1 }, "bytes", "must be at least 0"],
      [{ purpose: "X" }, "purpose", "'X' is not one of"],
      [{ filename: "folder/" }, "filename", "must name a file"],
      [{ mime_type: "a\0" }, "mime_type", "NUL"],
      [{ colour: "red" }, "colour", "Unknown parameter"],
      [{ expires_after: { anchor: "created_at", seconds: 1 } }, "expires_after.seconds", "at least 3600"],
      [{ expires_after: { anchor: "now", seconds: 3600 } }, "expires_after.anchor", "created_at"],
      [{ filename: "input.csv" }, null, "Must be .jsonl"],
      [{ bytes: 10 * 1024 ** 3 }, null, "File is too large."],
      [{ bytes: 8 * 1024 ** 3 + 1, purpose: "user_data" }, null, "File is too large."],
    ])("a creation with %j", async (fields, param, message) => {
      expect(await faultOf(await create({ bytes: 1, ...fields }))).toEqual({
        param,
        message: expect.stringContaining(message),
      });
    });

    test.each(["filename", "bytes", "mime_type", "purpose"])("a creation without %s", async (param) => {
      expect(await faultOf(await create({ bytes: 1, [param]: undefined }))).toEqual({
        param,
        message: `Missing required parameter: '${param}'.`,
      });
    });

    test("a part that is not a file, has another name, or comes with another field", async () => {
      const { id } = await createUpload(10);
      const send = (form: FormData): Promise<Response> =>
        api.fetch(`/v1/uploads/${id}/parts`, { method: "POST", body: form });
      const [asText, otherName, more] = [new FormData(), new FormData(), new FormData()];
      asText.set("data", "abc");
      otherName.set("file", new Blob(["abc"]));
      more.set("data", new Blob(["abc"]));
      more.set("number", "1");

      expect(await faultOf(await send(asText))).toMatchObject({
        param: "data",
        message: expect.stringMatching("file"),
      });
      expect(await faultOf(await send(otherName))).toMatchObject({ param: "file" });
      expect(await faultOf(await send(more))).toMatchObject({ param: "number" });
      expect(await faultOf(await send(new FormData()))).toMatchObject({ param: "data" });
      expect(await faultOf(await post(`/v1/uploads/${id}/parts`, { data: "abc" }))).toMatchObject({ param: null });
      await expectOnlyObjects();
    });

    test("a part of more than 64 MiB or more bytes than declared, and too many copies", async () => {
      const [large, small] = [await createUpload(100 * MIB), await createUpload(3)];

      expect(await faultOf(await sendPart(large.id, Buffer.alloc(64 * MIB + 1)))).toEqual({
        param: "data",
        message: expect.stringContaining("at most 67108864 bytes"),
      });
      expect(await faultOf(await sendPart(small.id, "abcd"))).toEqual({
        param: "data",
        message: expect.stringContaining("more bytes than the 3"),
      });
      await expectOnlyObjects();
      for (let copy = 0; copy < 4; copy += 1) await addPart(small.id, "abc");
      expect(await faultOf(await sendPart(small.id, "abc"))).toMatchObject({ param: "data" });
    });

    test("a completion with wrong parts, and leaves the upload pending", async () => {
      const { id } = await createUpload(bytesOf(line));
      const [part, other] = [await addPart(id, line), await addPart(id, line.slice(1))];
      const foreign = await addPart((await createUpload(3)).id, "abc");
      const refused = async (partIds: unknown[], md5?: string) => faultOf(await complete(id, partIds, md5));
      const fault = (param: string, text: string) => ({ param, message: expect.stringContaining(text) });

      expect(await refused([part, "part_none"])).toEqual(fault("part_ids", "'part_none' is not a part of this upload"));
      expect(await refused([part, "\0"])).toEqual(fault("part_ids", "is not a part of this upload"));
      expect(await refused([foreign])).toEqual(fault("part_ids", "is not a part of this upload"));
      expect(await refused([part, part])).toEqual(fault("part_ids", "listed twice"));
      expect(await refused([])).toEqual(fault("part_ids", `have 0 bytes together, but the upload declared`));
      expect(await refused([other])).toEqual(fault("part_ids", "bytes together"));
      expect(await refused([1])).toMatchObject({ param: "part_ids[0]" });
      expect(await refused([part], md5Of("other").digest("hex"))).toEqual(fault("md5", md5Of(line).digest("hex")));
      expect(await refused([part], "abc")).toEqual(fault("md5", "32 hex digits"));
      expect(await fileCount()).toBe(0);
      expect((await complete(id, [part])).status).toBe(200);
    });

    test.each([
      ["a table", ["a,b\n", "1,2\n"]],
      ["only blank lines", ["\n", "\n"]],
      ["empty", []],
      ["broken in the second part", ['{"a":', "x}\n"]],
    ])("batch input that is %s", async (_what, texts) => {
      const { id } = await createUpload(bytesOf(texts.join("")));
      const parts = [];
      for (const text of texts) parts.push(await addPart(id, text));

      expect(await faultOf(await complete(id, parts))).toMatchObject({
        message: "Invalid file format for Batch API. Must be .jsonl",
      });
      expect(await fileCount()).toBe(0);
    });

    test("every action on an upload that has ended", async () => {
      const [completed, cancelled, expired] = [await createUpload(1), await createUpload(1), await createUpload(1)].map(
        ({ id }) => id,
      ) as [string, string, string];
      await complete(completed, [await addPart(completed, "1")]);
      await cancel(cancelled);
      const late = await addPart(expired, "1");
      api.advanceClock(3599);
      expect((await sendPart(expired, "1")).status).toBe(200);
      api.advanceClock(1);

      for (const [id, status] of [
        [completed, "completed"],
        [cancelled, "cancelled"],
        [expired, "expired"],
      ] as const) {
        const isOver = { param: "upload_id", message: expect.stringContaining(`has status '${status}'`) };
        expect(await faultOf(await sendPart(id, "1"))).toEqual(isOver);
        if (status !== "completed") expect(await faultOf(await complete(id, [late]))).toEqual(isOver);
        if (status !== "cancelled") expect(await faultOf(await cancel(id))).toEqual(isOver);
      }
    });

    test("another tenant with the same words as for an unknown upload", async () => {
      const { id } = await createUpload(1);
      const form = new FormData();
      form.set("data", new Blob(["1"]));
      for (const [action, body] of [
        ["complete", { part_ids: [] }],
        ["cancel", undefined],
        ["parts", form],
      ] as const) {
        const ask = async (upload: string, tenant: "one" | "two"): Promise<string> => {
          const path = `/v1/uploads/${upload}/${action}`;
          const reply = await (body instanceof FormData
            ? api.fetch(path, { method: "POST", body, tenant })
            : post(path, body, tenant));
          expect(reply.status).toBe(404);
          return (await reply.text()).replaceAll(upload, "ID");
        };
        const missing = await ask("upload_00000000000000000000000000000000", "one");
        expect(await ask(id, "two")).toBe(missing);
        expect(await ask("%00", "two")).toContain("No such Upload object");
      }
      expect(await errorOf(await cancel("upload_1"), 404)).toEqual({
        message: "No such Upload object: upload_1",
        type: "invalid_request_error",
        param: "upload_id",
        code: null,
      });
    });
  });

  test.each(["in the middle of the part", "after the part, before the end of the form"])(
    "leaves nothing of a client that disconnects %s",
    async (when) => {
      const { id } = await createUpload(100_000);
      const head = `POST /v1/uploads/${id}/parts HTTP/1.1\r\nHost: x\r\nAuthorization: ${api.authorization("one")}\r\n`;
      const form = 'Content-Disposition: form-data; name="data"; filename="part"\r\n\r\n';
      const isWhole = when.startsWith("after");
      const content = `--b\r\n${form}${"x".repeat(50_000)}${isWhole ? "\r\n--b\r\n" : ""}`;
      const socket = connect(Number(new URL(api.url()).port), "127.0.0.1");
      socket.write(`${head}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 99999\r\n\r\n${content}`);
      const hasBegun = async (): Promise<boolean> =>
        isWhole ? (await objectKeys(api)).length === 1 : (await api.db().query("select from blobs")).rowCount === 1;
      await until(hasBegun, { message: "the part did not start" });

      socket.destroy();

      await expectOnlyObjects();
    },
  );

  describe("in parallel", () => {
    test("completions create exactly one file, and all return it", async () => {
      const { id } = await createUpload(bytesOf(line));
      const parts = [await addPart(id, line.slice(0, 9)), await addPart(id, line.slice(9))];

      const replies = await Promise.all(Array.from({ length: 6 }, () => complete(id, parts)));
      const uploads = await Promise.all(replies.map(goodJson));

      const files = new Set(uploads.map(({ file }) => (file as { id: string }).id));
      expect(files.size).toBe(1);
      expect(await fileCount()).toBe(1);
      const [file] = files;
      expect(await contentOf({ id: file })).toBe(line);
      await expectOnlyObjects(`files/${file ?? ""}`);
    });

    test("a completion that loses to another one returns the same reply", async () => {
      const { id } = await createUpload(bytesOf(line));
      const part = await addPart(id, line);
      let winner: unknown = null;
      moments.beforeJoin = async () => {
        moments.beforeJoin = quietMoments().beforeJoin;
        winner = await goodJson(await complete(id, [part]));
      };

      expect(await goodJson(await complete(id, [part]))).toEqual(winner);
      expect(await fileCount()).toBe(1);
    });

    test("a completion that loses to a cancel says so, and leaves nothing", async () => {
      const { id } = await createUpload(bytesOf(line));
      const part = await addPart(id, line);
      moments.beforeJoin = () => cancel(id);

      expect(await faultOf(await complete(id, [part]))).toMatchObject({
        param: "upload_id",
        message: expect.stringContaining("'cancelled'"),
      });
      expect(await fileCount()).toBe(0);
      await expectOnlyObjects();
    });

    test("a part that arrives during the join is accepted, and deleted afterwards", async () => {
      const { id } = await createUpload(bytesOf(line));
      const part = await addPart(id, line);
      let extra: Response | null = null;
      moments.beforeJoin = async () => {
        extra = await sendPart(id, "{}");
      };

      const { file } = await goodJson(await complete(id, [part]));

      expect(await jsonOf(extra as unknown as Response)).toMatchObject({ object: "upload.part" });
      expect(await contentOf(file)).toBe(line);
      await expectOnlyObjects(`files/${(file as { id: string }).id}`);
    });

    test("a part that arrives after the completion is refused, and leaves nothing", async () => {
      const { id } = await createUpload(bytesOf(line));
      const part = await addPart(id, line);
      let completed: Record<string, unknown> = {};
      moments.afterPut = async () => {
        completed = await goodJson(await complete(id, [part]));
      };

      expect(await faultOf(await sendPart(id, "{}"))).toMatchObject({ param: "upload_id" });
      await expectOnlyObjects(`files/${(completed["file"] as { id: string }).id}`);
    });

    test("parts can be sent, and are joined in the order of the completion", async () => {
      const numbers = Array.from({ length: 20 }, (_, index) => JSON.stringify({ index }));
      const text = numbers.join("\n");
      const { id } = await createUpload(bytesOf(text));
      const parts = await Promise.all(numbers.map((number, at) => addPart(id, at === 0 ? number : `\n${number}`)));

      const { file } = await goodJson(await complete(id, parts));

      expect(await contentOf(file)).toBe(text);
    });
  });
});
