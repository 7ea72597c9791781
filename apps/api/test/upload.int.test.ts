/** POST /v1/files: what is accepted, what is refused, and that a refused upload leaves nothing. */
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { until } from "@nightshift/testing";
import { errorOf, jsonOf, objectKeys, upload, useApi } from "./api-under-test.ts";

const api = useApi();
const line = '{"custom_id":"1","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"x"}}\n';
const boundary = "----ThisIsTheBoundary";

/** A part of a multipart form, as text. */
const field = (name: string, value: string): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file = (content: string, filename = "input.jsonl", name = "file"): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\n` +
  `Content-Type: application/octet-stream\r\n\r\n${content}\r\n`;
const end = `--${boundary}--\r\n`;

function post(...parts: string[]): Promise<Response> {
  return api.fetch("/v1/files", {
    method: "POST",
    headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
    body: parts.join("") + end,
  });
}

async function contentOf(id: unknown): Promise<string> {
  return (await api.fetch(`/v1/files/${String(id)}/content`)).text();
}

/** A refused upload must leave no object, no blob and no file. */
async function expectNothingLeft(): Promise<void> {
  const rows = await until(
    async () => {
      const { rows } = await api
        .db()
        .query<{ blobs: number; files: number }>(
          "select (select count(*) from blobs)::int as blobs, (select count(*) from files)::int as files",
        );
      return rows[0]?.blobs === 0 && (await objectKeys(api)).length === 0 ? rows : null;
    },
    { message: "a refused upload left something" },
  );
  expect(rows[0]).toEqual({ blobs: 0, files: 0 });
}

beforeEach(async () => {
  await api.db().query("delete from files");
  await api.db().query("delete from blobs");
  await api.objects().delete(await objectKeys(api));
});

describe("an upload", () => {
  test("becomes a file with its exact bytes that expires after 30 days", async () => {
    const created = await upload(api, { text: line });

    const seconds = Math.floor(api.now().getTime() / 1000);
    expect(created).toEqual({
      object: "file",
      id: expect.stringMatching(/^file-[1-9A-HJ-NP-Za-km-z]{22}$/),
      purpose: "batch",
      filename: "input.jsonl",
      bytes: line.length,
      created_at: seconds,
      expires_at: seconds + 2_592_000,
      status: "processed",
      status_details: null,
    });
    expect(await contentOf(created.id)).toBe(line);
    expect(await objectKeys(api)).toHaveLength(1);
  });

  test.each([
    ["purpose first", [field("purpose", "batch"), file(line)]],
    ["file first", [file(line), field("purpose", "batch")]],
    [
      "file in the middle, with an expiry around it",
      [
        field("expires_after[seconds]", "3600"),
        file(line),
        field("expires_after[anchor]", "created_at"),
        field("purpose", "batch"),
      ],
    ],
  ])("is accepted with its parts in the order: %s", async (_order, parts) => {
    const reply = await post(...parts);

    expect(reply.status).toBe(200);
    const created = await jsonOf(reply);
    expect(created).toMatchObject({ purpose: "batch", bytes: line.length });
    expect(await contentOf(created["id"])).toBe(line);
  });

  test("expires after the time that the client asks for", async () => {
    const created = await upload(api, { expiresAfter: 3600 });

    expect(created["expires_at"]).toBe(Number(created["created_at"]) + 3600);
  });

  test("may be any file for a purpose other than batch, and then never expires", async () => {
    const created = await upload(api, { text: "", filename: "picture.png", purpose: "vision" });

    expect(created).toMatchObject({ purpose: "vision", filename: "picture.png", bytes: 0, expires_at: null });
  });

  test.each([["upload"], ["unknown_file"], ["größe 日本.jsonl"], ["INPUT.JSONL"]])(
    "may be called %s",
    async (filename) => {
      expect(await upload(api, { filename })).toMatchObject({ filename });
    },
  );

  test.each([
    ["that is not a request", '{"custom_id":"1"}\n'],
    ["after blank lines", "\n\r\n \n{}\n"],
    ["after a byte order mark", "\uFEFF{}\n"],
    ["of 2 MB", `{"a":"${"x".repeat(2_000_000)}"}\n`],
  ])("may have a first line %s, and later lines that validation refuses", async (_which, firstLine) => {
    expect((await post(file(`${firstLine}not json\n`), field("purpose", "batch"))).status).toBe(200);
  });

  test("may come in chunks without a Content-Length", async () => {
    const body = field("purpose", "batch") + file(line.repeat(1000)) + end;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < body.length; at += 10_000) yield Buffer.from(body.slice(at, at + 10_000));
    }

    const reply = await api.fetch("/v1/files", {
      method: "POST",
      headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
      body: ReadableStream.from(chunks()),
      duplex: "half",
    });

    expect(reply.status).toBe(200);
    expect(await jsonOf(reply)).toMatchObject({ bytes: line.length * 1000 });
  });

  test("adds its size to the metric of uploaded bytes", async () => {
    const before = await uploadedBytes();

    await upload(api, { text: line });

    expect((await uploadedBytes()) - before).toBe(line.length);
  });
});

async function uploadedBytes(): Promise<number> {
  const metric = await api.metrics().getSingleMetric("nightshift_uploaded_bytes_total")?.get();
  return metric?.values[0]?.value ?? 0;
}

describe("refuses an upload and leaves nothing", () => {
  const badFormat = {
    message: "Invalid file format for Batch API. Must be .jsonl",
    type: "invalid_request_error",
    code: null,
  };

  test.each([
    ["an empty file", "", "input.jsonl"],
    ["only blank lines", "\n\n", "input.jsonl"],
    ["a table", "a,b\n1,2\n", "input.jsonl"],
    ["JSON over several lines", '{\n"a":1\n}\n', "input.jsonl"],
    ["text with NULs in it", "\ufeff{\0}\0\n\0", "input.jsonl"],
    ["another extension", line, "input.txt"],
  ])("for a batch: %s, before or after the purpose", async (_what, content, filename) => {
    const before = await post(field("purpose", "batch"), file(content, filename));
    const after = await post(file(content, filename), field("purpose", "batch"));

    expect(await errorOf(before, 400)).toMatchObject(badFormat);
    expect(await errorOf(after, 400)).toMatchObject(badFormat);
    await expectNothingLeft();
  });

  test("for a batch, and repeats the message in `detail`, as OpenAI does", async () => {
    const reply = await post(field("purpose", "batch"), file(""));

    expect(await jsonOf(reply)).toEqual({
      error: { ...badFormat, param: null },
      detail: { message: badFormat.message, code: null },
    });
  });

  test.each([
    ["no purpose", [file(line)], { param: "purpose", code: "missing_required_parameter" }],
    ["no file", [field("purpose", "batch")], { param: "file", code: "missing_required_parameter" }],
    ["the file as text", [field("purpose", "batch"), field("file", line)], { param: "file" }],
    ["a wrong purpose before the file", [field("purpose", "X"), file(line)], { param: "purpose", code: null }],
    ["a wrong purpose after the file", [file(line), field("purpose", "X")], { param: "purpose", code: null }],
    ["two purposes", [file(line), field("purpose", "batch"), field("purpose", "batch")], { param: "purpose" }],
    [
      "an unknown field",
      [field("purpose", "batch"), field("x", "y"), file(line)],
      { param: "x", code: "unknown_parameter" },
    ],
    ["a file of another name", [field("purpose", "batch"), file(line, "a.jsonl", "document")], { param: "document" }],
    ["two files", [field("purpose", "batch"), file(line), file(line)], { param: null }],
    [
      "an expiry that is too soon",
      [
        field("purpose", "batch"),
        file(line),
        field("expires_after[anchor]", "created_at"),
        field("expires_after[seconds]", "1"),
      ],
      { param: "expires_after.seconds", code: "invalid_value" },
    ],
    [
      "an expiry without an anchor",
      [field("expires_after[seconds]", "3600"), field("purpose", "batch"), file(line)],
      { param: "expires_after.anchor", code: "missing_required_parameter" },
    ],
  ])("for %s", async (_what, parts, expected) => {
    expect(await errorOf(await post(...parts), 400)).toMatchObject({ type: "invalid_request_error", ...expected });
    await expectNothingLeft();
  });

  test.each([["short"], ["long"]])("for a file that is sent as %s text", async (length) => {
    const text = length === "long" ? line.repeat(100) : line;

    expect(await errorOf(await post(field("purpose", "batch"), field("file", text)), 400)).toMatchObject({
      param: "file",
      message: expect.stringContaining("send it as a file, which has a filename"),
    });
    await expectNothingLeft();
  });

  test.each([
    ["a field without a name", [field("", "x")], "Field name missing"],
    ["a field with a long name", [field("x".repeat(101), "y")], "Field name too long"],
    ["a field that is nested too deeply", [field("a[b][c][d]", "x")], "Field name nesting too deep"],
    ["more than ten fields", Array.from({ length: 11 }, () => field("purpose", "batch")), "Too many fields"],
  ])("for %s, before or after the file", async (_what, parts, reason) => {
    for (const all of [
      [...parts, file(line)],
      [file(line), ...parts],
    ]) {
      expect(await errorOf(await post(...all), 400)).toMatchObject({ message: expect.stringContaining(reason) });
    }
    await expectNothingLeft();
  });

  test("for a text field that is too long, and names it", async () => {
    expect(await errorOf(await post(field("purpose", "b".repeat(1_025)), file(line)), 400)).toMatchObject({
      param: "purpose",
      message: expect.stringContaining("must not be longer than 1024 bytes"),
    });
    await expectNothingLeft();
  });

  test.each([["before"], ["after"]])(
    "for a name too long for the header of its download, with the purpose %s the file",
    async (where) => {
      const named = file(line, `${"☃".repeat(1_019)}.jsonl`);
      const purpose = field("purpose", "batch");

      const reply = await post(...(where === "before" ? [purpose, named] : [named, purpose]));

      expect(await errorOf(reply, 400)).toMatchObject({
        param: "file",
        message: expect.stringContaining("must not be longer than 1024 characters"),
      });
      await expectNothingLeft();
    },
  );

  test.each([
    ["JSON", "application/json", "{}"],
    ["a form without a boundary", "multipart/form-data", "x"],
    ["a form with a boundary that needs quotes", "multipart/form-data; boundary=a/b", "x"],
    ["a form that ends too early", `multipart/form-data; boundary=${boundary}`, file(line)],
  ])("for a body that is %s", async (_what, type, body) => {
    const reply = await api.fetch("/v1/files", { method: "POST", headers: { "content-type": type }, body });

    expect(await errorOf(reply, 400)).toMatchObject({ message: expect.stringContaining("multipart form") });
    await expectNothingLeft();
  });

  test.each([
    ["before", (content: string) => [field("purpose", "batch"), file(content)]],
    ["after", (content: string) => [file(content), field("purpose", "batch")]],
  ])("of over 200 MiB for a batch, with the purpose %s the file", async (_where, parts) => {
    const oneTooMany = "{}\n".padEnd(209_715_201, "x");

    expect(await errorOf(await post(...parts(oneTooMany)), 400)).toMatchObject({
      message: expect.stringMatching(/^File is too large\./),
    });
    await expectNothingLeft();
  });
});

test("a file with the longest name can be downloaded: Node's fetch accepts 16 KiB of headers", async () => {
  const filename = `${"☃".repeat(1_018)}.jsonl`;
  const { id } = await upload(api, { filename });

  const reply = await api.fetch(`/v1/files/${id}/content`);

  expect(reply.status).toBe(200);
  expect(reply.headers.get("content-disposition")).toContain(encodeURIComponent(filename));
});

test("accepts a file of exactly 200 MiB", async () => {
  const reply = await post(field("purpose", "batch"), file("{}\n".padEnd(209_715_200, "x")));

  expect(await jsonOf(reply)).toMatchObject({ bytes: 209_715_200 });
});

describe("on a raw connection", () => {
  const head = (length: string): string =>
    `POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: ${api.authorization("one")}\r\n` +
    `Content-Type: multipart/form-data; boundary=${boundary}\r\n${length}\r\n\r\n`;
  const open = () => connect(Number(new URL(api.url()).port), "127.0.0.1");

  const hasNote = async (): Promise<boolean> => (await api.db().query("select from blobs")).rowCount === 1;
  const hasObject = async (): Promise<boolean> => (await objectKeys(api)).length === 1;

  test.each([
    ["in the middle of the file", field("purpose", "batch") + file(line.repeat(500)).slice(0, -200), hasNote],
    [
      "after the file, with a part still to come",
      `${field("purpose", "batch")}${file(line)}--${boundary}\r\n`,
      hasObject,
    ],
  ])("leaves nothing of a client that disconnects %s", async (_when, sent, hasBegun) => {
    const socket = open();
    socket.write(head("Content-Length: 10000000") + sent);
    await until(hasBegun, { message: "the upload did not start" });

    socket.destroy();

    await until(async () => (await abortedUploads()) > 0, { message: "the API did not notice the disconnect" });
    await expectNothingLeft();
    api.metrics().resetMetrics();
  });

  async function abortedUploads(): Promise<number> {
    const metric = await api.metrics().getSingleMetric("nightshift_http_requests_total")?.get();
    return metric?.values.filter(({ labels }) => labels["status"] === "aborted").length ?? 0;
  }

  test("refuses an upload before the client has sent the rest", async () => {
    const socket = open();
    socket.write(head("Content-Length: 10000000") + field("purpose", "batch") + file("no json at all\n").slice(0, -2));

    const first = await new Promise<string>((resolve) => {
      socket.once("data", (chunk) => {
        resolve(chunk.toString().split("\r\n")[0] ?? "");
      });
    });

    expect(first).toBe("HTTP/1.1 400 Bad Request");
    socket.destroy();
  });

  test("reads the next request of the connection after a refused upload", async () => {
    const refused = field("purpose", "batch") + file("not json\n" + "x".repeat(1_000_000)) + end;
    const accepted = field("purpose", "batch") + file(line) + end;
    const socket = open();

    socket.write(head(`Content-Length: ${String(refused.length)}`) + refused);
    socket.write(head(`Content-Length: ${String(accepted.length)}\r\nConnection: close`) + accepted);

    expect((await text(socket)).match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 400", "HTTP/1.1 200"]);
  });

  test("accepts chunked bodies with extensions and odd sizes", async () => {
    const body = field("purpose", "batch") + file(line) + end;
    const socket = open();
    socket.write(head("Transfer-Encoding: chunked\r\nConnection: close"));
    for (let at = 0; at < body.length; at += 7) {
      const piece = body.slice(at, at + 7);
      socket.write(`${piece.length.toString(16)};note=1\r\n${piece}\r\n`);
    }
    socket.write("0\r\n\r\n");

    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK/);
  });
});
