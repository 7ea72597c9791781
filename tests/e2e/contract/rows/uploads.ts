/** Contract §1.2 for every client: uploads in parts. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { chatLine } from "../../batch-client.ts";
import type { Fields } from "../clients/client.ts";
import { bytesOf, expectRefusal, idOf, jsonOf, keysOf } from "../expectations.ts";
import { batchOf, endOf } from "../fixture-batches.ts";
import type { ClientFixture } from "../fixture.ts";

const TEXT = `${chatLine("a", "Why?")}\n${chatLine("b", "How?")}\n`;
const BYTES = Buffer.byteLength(TEXT);
const [BEGIN, END] = [Buffer.from(TEXT.slice(0, 100)), Buffer.from(TEXT.slice(100))];
const ABOUT = { filename: "parts.jsonl", purpose: "batch", mime_type: "application/jsonl", bytes: BYTES };
const NOBODYS = "upload_00000000000000000000000000000000";
const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

/** Registers the rows. */
export function uploadRows({ client }: ClientFixture): void {
  const begin = (change: Fields = {}): Promise<string> => idOf(client().uploads.create({ ...ABOUT, ...change }));
  const addPart = (id: string, data: Buffer): Promise<string> => idOf(client().uploads.addPart(id, data));
  /** Creates an upload and sends both parts, the second part first. */
  const uploadParts = async (change: Fields = {}): Promise<{ id: string; parts: string[] }> => {
    const id = await begin(change);
    const end = await addPart(id, END);
    return { id, parts: [await addPart(id, BEGIN), end] };
  };

  test("§1.2: a new Upload object has every key, is pending and expires after an hour", async () => {
    const upload = await jsonOf(client().uploads.create(ABOUT));

    expect(upload).toEqual({
      id: expect.stringMatching(/^upload_[0-9a-f]{32}$/),
      object: "upload",
      bytes: BYTES,
      created_at: expect.any(Number),
      filename: "parts.jsonl",
      purpose: "batch",
      status: "pending",
      expires_at: (upload["created_at"] as number) + 3_600,
      file: null,
    });
  });

  test("§1.2: the UploadPart object has four keys", async () => {
    const id = await begin();
    const part = await jsonOf(client().uploads.addPart(id, BEGIN));

    expect(part).toEqual({
      id: expect.stringMatching(/^part_[0-9a-f]{32}$/),
      object: "upload.part",
      created_at: expect.any(Number),
      upload_id: id,
    });
    expect(keysOf(part)).toEqual(["created_at", "id", "object", "upload_id"]);
  });

  test("§1.2: part_ids sets the order of the parts, and the file of the upload runs as a batch", async () => {
    const { id, parts } = await uploadParts();

    const completed = await jsonOf(client().uploads.complete(id, { part_ids: parts, md5: md5(TEXT) }));
    const file = completed["file"] as Fields;
    const batch = await idOf(client().batches.create(batchOf(String(file["id"]))));

    expect(completed).toMatchObject({ id, object: "upload", status: "completed", bytes: BYTES });
    expect(file).toEqual({
      object: "file",
      id: expect.stringMatching(/^file-/),
      purpose: "batch",
      filename: "parts.jsonl",
      bytes: BYTES,
      created_at: expect.any(Number),
      expires_at: (file["created_at"] as number) + 2_592_000,
      status: "processed",
      status_details: null,
    });
    expect(await jsonOf(client().files.retrieve(String(file["id"])))).toEqual(file);
    expect((await bytesOf(client().files.content(String(file["id"])))).toString()).toBe(TEXT);
    expect(await endOf(client(), batch)).toMatchObject({
      status: "completed",
      request_counts: { total: 2, completed: 2, failed: 0 },
    });
  });

  test("§1.2: expires_after applies to the file", async () => {
    const { id, parts } = await uploadParts({ expires_after: { anchor: "created_at", seconds: 7_200 } });

    const { file } = await jsonOf(client().uploads.complete(id, { part_ids: parts }));

    const { created_at: created, expires_at: expires } = file as { created_at: number; expires_at: number };
    expect(expires).toBe(created + 7_200);
  });

  test("§1.2: cancel returns the cancelled upload, even when repeated", async () => {
    const { id } = await uploadParts();

    const cancelled = await jsonOf(client().uploads.cancel(id));

    expect(cancelled).toMatchObject({ id, object: "upload", status: "cancelled", file: null });
    expect(await jsonOf(client().uploads.cancel(id))).toEqual(cancelled);
  });

  test.each(["cancelled", "completed"])(
    "§1.2: a %s upload returns 400 for another part, complete or cancel",
    async (status) => {
      const { uploads } = client();
      const { id, parts } = await uploadParts();
      await jsonOf(status === "completed" ? uploads.complete(id, { part_ids: parts }) : uploads.cancel(id));
      const other = status === "completed" ? uploads.cancel(id) : uploads.complete(id, { part_ids: parts });

      for (const answer of [await uploads.addPart(id, BEGIN), await other]) {
        expectRefusal(answer, {
          status: 400,
          message: `Upload '${id}' has status '${status}' and can no longer be changed. Create a new upload.`,
          param: "upload_id",
          code: "upload_not_pending",
        });
      }
    },
  );

  describe("an upload stays pending when complete returns 400", () => {
    test.each<[string, (parts: readonly string[]) => Fields, RegExp]>([
      ["too few bytes", (parts) => ({ part_ids: parts.slice(1) }), /^Invalid value for 'part_ids': .*bytes together/],
      [
        "a repeated part",
        (parts) => ({ part_ids: [...parts, parts[0]] }),
        /^Invalid value for 'part_ids': .*listed twice/,
      ],
      [
        "an unknown part",
        (parts) => ({ part_ids: [...parts, "part_00000000000000000000000000000000"] }),
        /^Invalid value for 'part_ids': 'part_0+' is not a part of this upload/,
      ],
      ["another MD5", (parts) => ({ part_ids: parts, md5: md5("other") }), /^Invalid value for 'md5': .*have the MD5/],
      ["an invalid MD5", (parts) => ({ part_ids: parts, md5: "abc" }), /^Invalid value for 'md5': .*hex/],
    ])("§1.2: %s", async (_what, fields, message) => {
      const { id, parts } = await uploadParts();

      const answer = await client().uploads.complete(id, fields(parts));

      const param = Object.keys(fields(parts)).at(-1) ?? "";
      expectRefusal(answer, {
        status: 400,
        message: expect.stringMatching(message),
        param,
        code: "invalid_value",
      });
      expect(await jsonOf(client().uploads.complete(id, { part_ids: parts }))).toMatchObject({ status: "completed" });
    });

    test("§1.2, §5.2: a first line that is not JSON", async () => {
      const id = await begin({ bytes: 3 });
      const part = await addPart(id, Buffer.from("a,b"));

      expectRefusal(await client().uploads.complete(id, { part_ids: [part] }), {
        status: 400,
        message: "Invalid file format for Batch API. Must be .jsonl",
      });
    });
  });

  test.each<[string, Fields, string, unknown]>([
    ["filename", { filename: undefined }, "missing_required_parameter", "Missing required parameter: 'filename'."],
    ["bytes", { bytes: undefined }, "missing_required_parameter", "Missing required parameter: 'bytes'."],
    ["mime_type", { mime_type: undefined }, "missing_required_parameter", "Missing required parameter: 'mime_type'."],
    ["purpose", { purpose: undefined }, "missing_required_parameter", "Missing required parameter: 'purpose'."],
    [
      "bytes",
      { bytes: "many" },
      "invalid_type",
      "Invalid type for 'bytes': expected an integer, but got a string instead.",
    ],
    ["bytes", { bytes: -1 }, "invalid_value", expect.stringMatching(/^Invalid value for 'bytes': .*0/)],
    [
      "expires_after.seconds",
      { expires_after: { anchor: "created_at", seconds: 1 } },
      "invalid_value",
      expect.stringContaining("3600"),
    ],
  ])("§1.2: an invalid %s returns 400: %j", async (param, change, code, message) => {
    expectRefusal(await client().uploads.create({ ...ABOUT, ...change }), { status: 400, message, param, code });
  });

  test.each<[string, Fields, string, string | null]>([
    [
      "an unknown purpose",
      { purpose: "batches" },
      "'batches' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'",
      "purpose",
    ],
    ["another extension", { filename: "parts.csv" }, "Invalid file format for Batch API. Must be .jsonl", null],
    [
      "more than 200 MB for a batch",
      { bytes: 200 * 1024 * 1024 + 1 },
      "File is too large. Files of this purpose may have at most 209715200 bytes.",
      null,
    ],
    [
      "more than 8 GB for any purpose",
      { bytes: 8 * 1024 ** 3 + 1, purpose: "user_data" },
      "File is too large. Files of this purpose may have at most 8589934592 bytes.",
      null,
    ],
  ])("§1.2, §5.2: %s returns the same 400 as for a file, before any part", async (_what, change, message, param) => {
    expectRefusal(await client().uploads.create({ ...ABOUT, ...change }), { status: 400, message, param });
  });

  test("§1.2: complete without part_ids returns 400", async () => {
    expectRefusal(await client().uploads.complete(await begin(), {}), {
      status: 400,
      message: "Missing required parameter: 'part_ids'.",
      param: "part_ids",
      code: "missing_required_parameter",
    });
  });

  test("§1.2: every route returns 404 for an unknown upload", async () => {
    const { uploads } = client();
    const calls = [
      uploads.addPart(NOBODYS, BEGIN),
      uploads.complete(NOBODYS, { part_ids: [] }),
      uploads.cancel(NOBODYS),
    ];

    for (const answer of await Promise.all(calls)) {
      expectRefusal(answer, { status: 404, message: `No such Upload object: ${NOBODYS}`, param: "upload_id" });
    }
  });
}
