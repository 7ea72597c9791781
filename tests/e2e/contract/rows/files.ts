/** Contract §1.1 and §2 for every client: files. */
import { expect, test } from "@jest/globals";
import { chatLine } from "../../batch-client.ts";
import type { Fields } from "../clients/client.ts";
import { bytesOf, expectRefusal, idOf, jsonOf, keysOf, noSuchFile } from "../expectations.ts";
import type { ClientFixture } from "../fixture.ts";

const LINE = chatLine("a", "Why?");
const THIRTY_DAYS = 2_592_000;

/** Registers the rows. */
export function fileRows({ client }: ClientFixture): void {
  const send = (fields: Fields, name?: string, text = LINE) =>
    client().files.create({ bytes: Buffer.from(text), ...(name === undefined ? {} : { name }) }, fields);
  const sendInput = (name = "input.jsonl", text = LINE) => send({ purpose: "batch" }, name, text);

  test("§2: the File object has every key and the status `processed`", async () => {
    const file = await jsonOf(sendInput());

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
    expect(Math.abs((file["created_at"] as number) - Date.now() / 1_000)).toBeLessThan(60);
    expect(await jsonOf(client().files.retrieve(file["id"] as string))).toEqual(file);
  });

  test.each(["assistants", "fine-tune", "vision", "user_data", "evals"])(
    "§1.1: a file with purpose %s can have any content and does not expire",
    async (purpose) => {
      const file = await jsonOf(send({ purpose }, "picture.png", ""));

      expect(file).toMatchObject({ purpose, filename: "picture.png", bytes: 0, expires_at: null });
    },
  );

  test.each([
    ["batch", 3_600],
    ["batch", 2_592_000],
    ["user_data", 3_600],
    ["user_data", 2_592_000],
  ])("§1.1, §7.20: a file with purpose %s accepts expires_after of %d seconds", async (purpose, seconds) => {
    const file = await jsonOf(send({ purpose, expires_after: { anchor: "created_at", seconds } }, "input.jsonl"));

    expect(file["expires_at"]).toBe((file["created_at"] as number) + seconds);
  });

  test.each([
    ["expires_after.seconds", { anchor: "created_at", seconds: 3_599 }, "invalid_value", /seconds'.*3600/],
    ["expires_after.seconds", { anchor: "created_at", seconds: 2_592_001 }, "invalid_value", /seconds'.*2592000/],
    ["expires_after.seconds", { anchor: "created_at" }, "missing_required_parameter", /^Missing required parameter/],
    ["expires_after.anchor", { seconds: 3_600 }, "missing_required_parameter", /^Missing required parameter/],
    ["expires_after.anchor", { anchor: "now", seconds: 3_600 }, "invalid_value", /'now'.*'created_at'/],
  ])("§1.1: an invalid %s returns 400: %j", async (param, expiry, code, message) => {
    expectRefusal(await send({ purpose: "batch", expires_after: expiry }, "input.jsonl"), {
      status: 400,
      message: expect.stringMatching(message),
      param,
      code,
    });
  });

  test("§1.1, §7.23: a file without a name gets the client's default name", async () => {
    expect(await jsonOf(send({ purpose: "batch" }))).toMatchObject({ filename: client().nameOfBareBytes });
  });

  test.each(["upload", "unknown_file", "INPUT.JSONL", "größe 日本.jsonl"])(
    "§1.1, §7.23: a batch's input file can have the name %s",
    async (name) => {
      expect(await jsonOf(sendInput(name))).toMatchObject({ filename: name });
    },
  );

  test.each([
    ["another extension", "input.csv", LINE],
    ["no bytes", "input.jsonl", ""],
    ["a first line that is not JSON", "input.jsonl", "custom_id;method\n"],
  ])("§5.2: an upload with purpose `batch` and %s returns 400", async (_what, name, text) => {
    expectRefusal(await sendInput(name, text), {
      status: 400,
      message: "Invalid file format for Batch API. Must be .jsonl",
    });
  });

  test("§1.1, §7.10: an invalid line after the first does not fail the upload", async () => {
    expect(await jsonOf(sendInput("input.jsonl", `${LINE}\n{\n`))).toMatchObject({ status: "processed" });
  });

  test("§5.2: an unknown purpose returns 400 with a list of the valid ones", async () => {
    expectRefusal(await send({ purpose: "batches" }, "input.jsonl"), {
      status: 400,
      message:
        "'batches' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'",
      param: "purpose",
    });
  });

  test.each(["purpose", "file"])("§1.1, §7.9: an upload without %s returns 400", async (param) => {
    const bytes = Buffer.from(LINE);
    const answer =
      param === "file"
        ? await client().files.create(undefined, { purpose: "batch" })
        : await client().files.create({ bytes, name: "input.jsonl" }, {});

    const message = `Missing required parameter: '${param}'.`;
    expectRefusal(answer, { status: 400, message, param, code: "missing_required_parameter" });
  });

  test("§1.1, §7.21: the content of a new file can be read at once, as an attachment with its name", async () => {
    const id = await idOf(sendInput("plain.jsonl"));

    const { bytes, replies, requestId } = await client().files.content(id);

    expect(bytes?.toString()).toBe(LINE);
    expect(requestId).toMatch(/^req_/);
    expect(replies).toMatchObject([
      {
        status: 200,
        headers: {
          "content-type": "application/octet-stream",
          "content-disposition": `attachment; filename="plain.jsonl"`,
          "content-length": String(Buffer.byteLength(LINE)),
        },
      },
    ]);
  });

  test.each(["fine-tune", "vision", "batch", "evals"])(
    "§1.1: the content of a file with purpose %s can be read",
    async (purpose) => {
      const bytes = Buffer.from([0, 0xff, 0xfe, 0x0a, 0x80]);
      const sent = purpose === "batch" ? Buffer.from(`${LINE}\r\n`) : bytes;
      const id = await idOf(client().files.create({ bytes: sent, name: "input.jsonl" }, { purpose }));

      expect(await bytesOf(client().files.content(id))).toEqual(sent);
    },
  );

  test.each(["assistants", "user_data"])(
    "§5.2: the content of a file with purpose %s cannot be read",
    async (purpose) => {
      const id = await idOf(send({ purpose }, "notes.txt"));

      expectRefusal(await client().files.content(id), {
        status: 400,
        message: `Not allowed to download files of purpose: ${purpose}`,
      });
    },
  );

  test("§1.1: delete returns an object with three keys, and every route then returns 404", async () => {
    const { files } = client();
    const id = await idOf(sendInput());

    const deleted = await jsonOf(files.delete(id));

    expect(deleted).toEqual({ object: "file", id, deleted: true });
    expect(keysOf(deleted)).toEqual(["deleted", "id", "object"]);
    for (const again of [files.delete(id), files.retrieve(id), files.content(id)]) {
      expectRefusal(await again, noSuchFile(id));
    }
  });

  test.each(["file-nothing", "file-1234567890123456789012", "batch_nothing"])(
    "§5.2: every route returns 404 for the file %s",
    async (id) => {
      const { files } = client();

      for (const call of [files.retrieve(id), files.delete(id), files.content(id)]) {
        expectRefusal(await call, noSuchFile(id));
      }
    },
  );
}
