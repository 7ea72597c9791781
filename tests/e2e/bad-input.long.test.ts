/** Unusual and invalid input files: which ones the upload rejects, which ones fail the batch, and which ones work. */
import { beforeAll, describe, expect, test } from "@jest/globals";
import { availableProfiles } from "@nightshift/testing";
import { type BatchError, chatLine, createBatchClient, uploadForm } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

const MEBIBYTE = 1024 * 1024;
const GOOD = chatLine("good", "Why?");
const BAD_UTF8 = Buffer.from([0x22, 0xc3, 0x28, 0x22]);
const MARK = "\ufeff";

/** Uploads that are rejected, and the message of each error. */
const REFUSED: Readonly<Record<string, { content: () => string | Buffer; filename?: string; message: string }>> = {
  "no bytes": { content: () => "", message: "Invalid file format for Batch API. Must be .jsonl" },
  "blank lines only": { content: () => "\n \r\n\t\n", message: "Invalid file format for Batch API. Must be .jsonl" },
  "a first line that is not JSON": {
    content: () => `custom_id,method\n${GOOD}`,
    message: "Invalid file format for Batch API. Must be .jsonl",
  },
  "a first line that is not UTF-8": {
    content: () => Buffer.concat([BAD_UTF8, Buffer.from(`\n${GOOD}`)]),
    message: "Invalid file format for Batch API. Must be .jsonl",
  },
  "the extension .csv": {
    content: () => GOOD,
    filename: "requests.csv",
    message: "Invalid file format for Batch API. Must be .jsonl",
  },
  "more than 200 MiB": {
    content: () => Buffer.alloc(200 * MEBIBYTE + 1, `${GOOD}\n`),
    message: "File is too large. Files of this purpose may have at most 209715200 bytes.",
  },
};

const NOT_JSON = { code: "invalid_json_line", message: "This line is not parseable as valid JSON.", param: null };
const NOT_OBJECT = {
  code: "invalid_json_line",
  message: "This line is not a JSON object. Each line must be an object with 'custom_id', 'method', 'url' and 'body'.",
  param: null,
};
const missing = (name: string, param = name): Omit<BatchError, "line"> => ({
  code: "missing_required_parameter",
  message: `Missing required parameter: '${name}'.`,
  param,
});
const invalidType = (param: string, expected: string): Omit<BatchError, "line"> => ({
  code: "invalid_type",
  message: `Invalid type for '${param}': expected ${expected}.`,
  param,
});
const DUPLICATE = {
  code: "duplicate_custom_id",
  message:
    "The custom_id for this request is a duplicate of another request. The custom_id parameter must be unique for each request in a batch.",
  param: "custom_id",
};
const STREAMING = {
  code: "streaming_unsupported",
  message: "Chat Completions: Streaming is not supported in the Batch API.",
  param: "body.stream",
};
const OTHER_MODEL = {
  code: "mismatched_model",
  message:
    "The model 'gpt-5' for this request does not match the rest of the batch. Each batch must contain requests for a single model.",
  param: "body.model",
};

/** Returns a good line with the given keys changed. The value undefined removes a key. */
function lineWith(
  change: Readonly<Record<string, unknown>>,
  bodyChange: Readonly<Record<string, unknown>> = {},
): string {
  const body = { model: "gpt-4", messages: [{ role: "user", content: "Why?" }], ...bodyChange };
  return JSON.stringify({ custom_id: "bad", method: "POST", url: "/v1/chat/completions", body, ...change });
}

/** Second lines that fail a batch whose first line is good, and the expected errors. */
const BAD_LINES: readonly (readonly [string, string | Buffer, ...Omit<BatchError, "line">[]])[] = [
  ["not JSON", `{"custom_id": "bad",`, NOT_JSON],
  ["JSON with an extra comma", `${GOOD.slice(0, -1)},}`, NOT_JSON],
  ["two objects", `${GOOD}${GOOD}`, NOT_JSON],
  ["a byte order mark", `${MARK}${lineWith({})}`, NOT_JSON],
  ["a list", "[1]", NOT_OBJECT],
  ["null", "null", NOT_OBJECT],
  ["a text", `"x"`, NOT_OBJECT],
  [
    "bytes that are not UTF-8",
    BAD_UTF8,
    { ...NOT_JSON, message: `${NOT_JSON.message} Its bytes are not valid UTF-8.` },
  ],
  ["no custom_id", lineWith({ custom_id: undefined }), missing("custom_id")],
  ["no method", lineWith({ method: undefined }), missing("method")],
  ["no url", lineWith({ url: undefined }), missing("url")],
  ["no body", lineWith({ body: undefined }), missing("body")],
  ["a body that is null", lineWith({ body: null }), missing("body")],
  ["no model", lineWith({}, { model: undefined }), missing("model", "body.model")],
  ["no messages", lineWith({}, { messages: undefined }), missing("messages", "body.messages")],
  ["nothing", "{}", missing("custom_id"), missing("method"), missing("url"), missing("body")],
  ["a custom_id that is a number", lineWith({ custom_id: 7 }), invalidType("custom_id", "a string")],
  [
    "an empty custom_id",
    lineWith({ custom_id: "" }),
    { code: "invalid_value", message: "Invalid value for 'custom_id': it must not be empty.", param: "custom_id" },
  ],
  [
    "a custom_id of 513 characters",
    lineWith({ custom_id: "x".repeat(513) }),
    {
      code: "invalid_value",
      message: "Invalid value for 'custom_id': it must not be longer than 512 characters.",
      param: "custom_id",
    },
  ],
  ["a body that is a list", lineWith({ body: [] }), invalidType("body", "an object")],
  ["a model that is a number", lineWith({}, { model: 4 }), invalidType("body.model", "a string")],
  [
    "another method",
    lineWith({ method: "GET" }),
    {
      code: "invalid_value",
      message: "Invalid value for 'method': only 'POST' is supported by the Batch API.",
      param: "method",
    },
  ],
  [
    "another url",
    lineWith({ url: "/v1/embeddings" }),
    {
      code: "invalid_url",
      message: "The URL provided for this request does not match the batch endpoint.",
      param: "url",
    },
  ],
  ["a stream", lineWith({}, { stream: true }), STREAMING],
  ["another model", lineWith({}, { model: "gpt-5" }), OTHER_MODEL],
  ["a repeated custom_id", lineWith({ custom_id: "good" }), DUPLICATE],
  ["a repeated custom_id, written with an escape", lineWith({}).replace(`"bad"`, `"g\\u006fod"`), DUPLICATE],
  [
    "more than 32 MiB",
    lineWith({}, { long: "x".repeat(32 * MEBIBYTE) }),
    {
      code: "request_too_large",
      message: "This line is too large: at most 33554432 bytes are accepted.",
      param: null,
    },
  ],
];

/** Unusual files that are valid. Each has the lines `good` and `bad`, and both lines are valid. */
const TOLERATED: Readonly<Record<string, () => string>> = {
  "a byte order mark at its beginning": () => `${MARK}${GOOD}\n${lineWith({})}\n`,
  "Windows line breaks": () => `${GOOD}\r\n${lineWith({})}\r\n`,
  "blank lines": () => `\n\n${GOOD}\n \t\r\n\n${lineWith({})}\n\n\n`,
  "no line break at its end": () => `${GOOD}\n${lineWith({})}`,
  "unknown keys": () => `${GOOD}\n${lineWith({ note: "ours", priority: 1 })}\n`,
  "a line of 20 MB": () => `${GOOD}\n${lineWith({}, { long: "x".repeat(20_000_000) })}\n`,
};

describe.each(availableProfiles())("%s", (profile) => {
  // There is no catch-all route, so all other models are unknown.
  const { stack, simulator } = useStack({
    profile,
    routes: (baseUrl) => `
      upstreams: { local: { base_url: "${baseUrl}" } }
      models: { gpt-4: { upstream: local }, gpt-5: { upstream: local } }
    `,
  });
  const pids = async (): Promise<number[]> => (await stack().processes()).map(({ pid }) => pid).sort((a, b) => a - b);
  let pidsBefore: readonly number[];
  beforeAll(async () => {
    pidsBefore = await pids();
  });

  test.each(Object.entries(REFUSED))(
    "returns 400 for an upload of a file with %s",
    async (_name, { content, filename, message }) => {
      const { request } = createBatchClient(stack());

      const reply = await request("/v1/files", { method: "POST", body: uploadForm(content(), filename) });

      expect(await reply.json()).toEqual({
        error: { message, type: "invalid_request_error", param: null, code: null },
        ...(message.startsWith("Invalid file format") ? { detail: { message, code: null } } : {}),
      });
      expect(reply.status).toBe(400);
    },
  );

  test("fails the batch for each kind of invalid line, with the error and its line number", async () => {
    const client = createBatchClient(stack());
    const errorsOf = async (line: string | Buffer): Promise<readonly BatchError[] | undefined> => {
      const batch = await client.run(Buffer.concat([Buffer.from(`\n${GOOD}\n`), Buffer.from(line)]));
      expect(batch).toMatchObject({
        status: "failed",
        in_progress_at: null,
        output_file_id: null,
        error_file_id: null,
      });
      expect(batch.request_counts).toEqual({ total: 0, completed: 0, failed: 0 });
      return batch.errors?.data;
    };

    const got = await Promise.all(BAD_LINES.map(async ([name, line]) => [name, await errorsOf(line)]));

    // The blank first line is not a request, but it counts as a line.
    const expected = BAD_LINES.map(([name, , ...errors]) => [name, errors.map((error) => ({ ...error, line: 3 }))]);
    expect(Object.fromEntries(got)).toEqual(Object.fromEntries(expected));
    expect((await simulator().stats()).requests).toBe(0);
  });

  test("reports an unknown model once, at its first line", async () => {
    const batch = await createBatchClient(stack()).run(
      [chatLine("a", "?", "llama"), chatLine("b", "?", "llama")].join("\n"),
    );

    expect(batch.errors?.data).toEqual([
      {
        code: "model_not_found",
        message: "The provided model 'llama' is not supported by the Batch API.",
        param: "body.model",
        line: 1,
      },
    ]);
  });

  test("fails a batch of 50,001 lines", async () => {
    const lines = Array.from({ length: 50_001 }, (_, index) => chatLine(String(index), "?"));

    const batch = await createBatchClient(stack()).run(lines.join("\n"));

    expect(batch.status).toBe("failed");
    expect(batch.errors?.data).toEqual([
      {
        code: "too_many_tasks",
        message: "The input file has more than 50000 requests. Split it into several batches.",
        param: null,
        line: null,
      },
    ]);
  });

  test("lists the first 100 errors and the number of further ones", async () => {
    const lines = [GOOD, ...Array.from({ length: 150 }, () => "{]")];

    const batch = await createBatchClient(stack()).run(lines.join("\n"));

    expect(batch.errors?.data).toEqual([
      ...Array.from({ length: 100 }, (_, index) => ({ ...NOT_JSON, line: index + 2 })),
      {
        code: "too_many_errors",
        message: "Only the first 100 errors are listed; 50 more were found.",
        param: null,
        line: null,
      },
    ]);
  });

  test.each(Object.entries(TOLERATED))("completes a batch of a file with %s", async (_name, content) => {
    const client = createBatchClient(stack());

    const batch = await client.run(content());
    const lines = await client.lines(batch.output_file_id);

    expect(batch).toMatchObject({ status: "completed", errors: null, error_file_id: null });
    expect(batch.request_counts).toEqual({ total: 2, completed: 2, failed: 0 });
    expect(lines.map((line) => line.custom_id)).toEqual(["good", "bad"]);
  });

  test("no process has ended during these tests", async () => {
    expect(await pids()).toEqual(pidsBefore);
  });
});
