/** Contract §1.3, §3 and §4.2, row by row, by plain HTTP: batches, their windows, states and faults. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, until } from "@nightshift/testing";
import { type Batch, type BatchClient, chatLine, createBatchClient } from "../batch-client.ts";
import { endWindow } from "../ledger.ts";
import { useStack } from "../use-stack.ts";
import { createWire, envelope, idsOf, type Json, type Wire } from "./wire.ts";

const INPUT = `${chatLine("a", "Why?")}\n${chatLine("b", "How?")}\n`;
const ZERO_USAGE = {
  input_tokens: 0,
  output_tokens: 0,
  total_tokens: 0,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens_details: { reasoning_tokens: 0 },
};
const NO_COUNTS = { total: 0, completed: 0, failed: 0 };
const UNUSED_TIMES = ["failed_at", "expired_at", "cancelling_at", "cancelled_at"];

const embeddingLine = (customId: string, value: unknown): string =>
  JSON.stringify({
    custom_id: customId,
    method: "POST",
    url: "/v1/embeddings",
    body: { model: "embed", input: value },
  });

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({
    profile,
    env: { NIGHTSHIFT_COMPLETION_WINDOWS: "1h,24h,7d", NIGHTSHIFT_FILE_EXPIRY_DAYS: "7" },
  });
  const open = (): { client: BatchClient; wire: Wire } => {
    const client = createBatchClient(stack());
    return { client, wire: createWire(client) };
  };
  const cancel = (client: BatchClient, id: string, init: RequestInit = {}): Promise<Response> =>
    client.request(`/v1/batches/${id}/cancel`, { method: "POST", ...init });
  const run = async (text: string, change: Json = {}): Promise<Batch & Json> => {
    const { client, wire } = open();
    const { status, body } = await wire.createBatch(await client.upload(text), change);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return (await client.finished(body["id"] as string)) as Batch & Json;
  };

  test("§3.1: a new batch has every key in wire order, zeros and nulls", async () => {
    const { client, wire } = open();
    const fileId = await client.upload(INPUT);

    const { status, body } = await wire.createBatch(fileId, { metadata: { job: "nightly" } });

    expect(status).toBe(200);
    expect(Object.keys(body).join()).toBe(
      "id,object,endpoint,model,errors,input_file_id,completion_window,status,output_file_id,error_file_id,created_at," +
        "in_progress_at,expires_at,finalizing_at,completed_at,failed_at,expired_at,cancelling_at,cancelled_at," +
        "request_counts,usage,metadata",
    );
    const createdAt = body["created_at"] as number;
    expect(body).toMatchObject({
      id: expect.stringMatching(/^batch_[0-9a-f]{32}$/),
      object: "batch",
      endpoint: "/v1/chat/completions",
      model: null,
      errors: null,
      input_file_id: fileId,
      completion_window: "24h",
      status: "validating",
      output_file_id: null,
      error_file_id: null,
      expires_at: createdAt + 86_400,
      in_progress_at: null,
      finalizing_at: null,
      completed_at: null,
      request_counts: NO_COUNTS,
      usage: ZERO_USAGE,
      metadata: { job: "nightly" },
    });
    expect(Math.abs(Number.parseInt((body["id"] as string).slice(6, 14), 16) - createdAt)).toBeLessThanOrEqual(1);
    await client.finished(body["id"] as string);
  });

  test("§3.1: a completed batch: times in order, counts, usage, the ids of its files", async () => {
    const batch = await run(INPUT);

    expect(batch).toMatchObject({
      status: "completed",
      model: "gpt-4",
      errors: null,
      output_file_id: expect.stringMatching(/^file-/),
      error_file_id: null,
      request_counts: { total: 2, completed: 2, failed: 0 },
    });
    const times = ["created_at", "in_progress_at", "finalizing_at", "completed_at"].map((key) => batch[key] as number);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(UNUSED_TIMES.map((key) => batch[key])).toEqual([null, null, null, null]);
    const { input_tokens: input, output_tokens: output, total_tokens: total } = batch.usage as Record<string, number>;
    expect(input).toBeGreaterThan(0);
    expect(total).toBe((input ?? 0) + (output ?? 0));
  });

  test("§3.1: usage and file ids stay unset while lines are in flight; total is set, completed counts", async () => {
    const { client, wire } = open();
    await simulator().configure({ faults: [{ match: "slow", hangMs: 60_000 }] });
    const fileId = await client.upload(`${chatLine("a", "quick")}\n${chatLine("b", "slow")}\n`);
    const { id } = (await wire.createBatch(fileId)).body as { id: string };
    const batch = await until(
      async () => {
        const { body } = await wire.get(`/v1/batches/${id}`);
        return (body["request_counts"] as { completed: number }).completed === 1 && body;
      },
      { message: "the quick line is done" },
    );

    expect(batch).toMatchObject({
      status: "in_progress",
      request_counts: { total: 2, completed: 1, failed: 0 },
      usage: ZERO_USAGE,
      output_file_id: null,
      error_file_id: null,
      in_progress_at: expect.any(Number),
      finalizing_at: null,
    });
    await cancel(client, id);
    expect(await client.finished(id)).toMatchObject({ status: "cancelled", finalizing_at: null });
    await simulator().configure({ faults: [] });
  });

  test("§1.1: an input that is deleted while its batch is in progress is read to the end", async () => {
    const { client, wire } = open();
    await simulator().configure({ faults: [{ match: "slow", hangMs: 1_000 }] });
    const fileId = await client.upload(`${chatLine("a", "slow")}\n${chatLine("b", "quick")}\n`);
    const { id } = (await wire.createBatch(fileId)).body as { id: string };
    await until(async () => (await client.retrieve(id)).status !== "validating", { message: "the input was read" });

    const deleted = await wire.remove(`/v1/files/${fileId}`);

    expect(deleted.status).toBe(200);
    expect(await client.finished(id)).toMatchObject({
      status: "completed",
      input_file_id: fileId,
      request_counts: { total: 2, completed: 2, failed: 0 },
    });
    await simulator().configure({ faults: [] });
  });

  test("§3.4: a missing input file fails the batch, not the request", async () => {
    const { client, wire } = open();
    const fileId = await client.upload(INPUT);
    await wire.remove(`/v1/files/${fileId}`);

    const { status, body } = await wire.createBatch(fileId);
    const batch = await client.finished(body["id"] as string);

    expect([status, body["status"]]).toEqual([200, "validating"]);
    expect(batch).toMatchObject({
      status: "failed",
      failed_at: expect.any(Number),
      in_progress_at: null,
      request_counts: NO_COUNTS,
      usage: ZERO_USAGE,
    });
    expect(batch.errors).toEqual({
      object: "list",
      data: [
        {
          code: "invalid_request",
          message: `Cannot find file ${fileId}, or organization default does not have access to it.`,
          param: "file_id",
          line: null,
        },
      ],
    });
  });

  test.each([
    ["1h", 3_600],
    ["24h", 86_400],
    ["7d", 604_800],
  ])("§1.3: the window %s, where it is offered, is echoed and ends when it says", async (window, seconds) => {
    const batch = await run(INPUT, { completion_window: window });

    expect(batch).toMatchObject({ status: "completed", completion_window: window });
    expect(batch["expires_at"]).toBe((batch["created_at"] as number) + seconds);
  });

  test.each(["48h", "", "24H", "1d"])("§5.2: the window %j is 400 and lists those that are offered", async (window) => {
    const { client, wire } = open();

    const { status, body } = await wire.createBatch(await client.upload(INPUT), { completion_window: window });

    expect(status).toBe(400);
    expect(body).toEqual(
      envelope(
        `Invalid value for 'completion_window': '${window}'. Supported values are: '1h', '24h', '7d'.`,
        "completion_window",
        "invalid_value",
      ),
    );
  });

  test("§1.1: input and results expire after the days that the installation says, or the batch", async () => {
    const { wire } = open();
    const lifeOf = async (id: unknown): Promise<number> => {
      const { body } = await wire.get(`/v1/files/${String(id)}`);
      return (body["expires_at"] as number) - (body["created_at"] as number);
    };

    const byDefault = await run(INPUT);
    const asked = await run(INPUT, { output_expires_after: { anchor: "created_at", seconds: 3_600 } });

    expect(await lifeOf(byDefault["input_file_id"])).toBe(7 * 86_400);
    expect(await lifeOf(byDefault.output_file_id)).toBe(7 * 86_400);
    expect(await lifeOf(asked.output_file_id)).toBe(3_600);
  });

  test.each([
    [
      "input_file_id",
      { input_file_id: undefined },
      "missing_required_parameter",
      "Missing required parameter: 'input_file_id'.",
    ],
    ["endpoint", { endpoint: undefined }, "missing_required_parameter", "Missing required parameter: 'endpoint'."],
    [
      "completion_window",
      { completion_window: undefined },
      "missing_required_parameter",
      "Missing required parameter: 'completion_window'.",
    ],
    [
      "endpoint",
      { endpoint: "/v1/nope" },
      "invalid_value",
      expect.stringMatching(/'\/v1\/nope'.*Supported values are/),
    ],
    [
      "metadata.tags",
      { metadata: { tags: ["a"] } },
      "invalid_type",
      "Invalid type for 'metadata.tags': expected a string, but got an array instead.",
    ],
    [
      "output_expires_after.seconds",
      { output_expires_after: { anchor: "created_at", seconds: 1 } },
      "invalid_value",
      expect.any(String),
    ],
  ])("§1.3, §5.2: a wrong %s is 400 at once: %j", async (param, change, code, message) => {
    const { status, body } = await open().wire.createBatch("file-1", change);

    expect([status, body]).toEqual([400, envelope(message, param, code)]);
  });

  test("§7.12: an input file of another purpose is 400", async () => {
    const { wire } = open();
    const { body: file } = await wire.postForm([
      ["purpose", "user_data"],
      ["file", [new Blob([INPUT]), "input.jsonl"]],
    ]);

    const { status, body } = await wire.createBatch(file["id"] as string);

    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: { param: "input_file_id", message: expect.stringContaining("purpose 'batch'") },
    });
  });

  test.each([
    ["50,000 embedding inputs are accepted", 49_999, []],
    [
      "§4.2: one more fails the batch",
      50_000,
      [
        {
          code: "too_many_inputs",
          message:
            "The requests of the input file have more than 50000 embedding inputs together. Split it into several batches.",
          param: null,
          line: null,
        },
      ],
    ],
  ])("§4.2: %s", async (_what, count, errors) => {
    await simulator().forget();
    const text = [
      embeddingLine("one", "a text"),
      embeddingLine(
        "many",
        Array.from({ length: count }, () => "t"),
      ),
    ].join("\n");

    const { client, wire } = open();
    const { id } = (await wire.createBatch(await client.upload(text), { endpoint: "/v1/embeddings" })).body as {
      id: string;
    };
    const batch = await client.finished(id);

    expect(batch.errors?.data ?? []).toEqual(errors);
    expect(batch.status).toBe(errors.length > 0 ? "failed" : "completed");
    expect((await simulator().stats()).requests).toBe(errors.length > 0 ? 0 : 2);
  });

  test("§1.3, §7.25: cancel takes an empty body that is called JSON, and is 200 again once cancelled", async () => {
    const { client, wire } = open();
    await simulator().configure({ faults: [{ match: "Why", hangMs: 60_000 }] });
    const { id } = (await wire.createBatch(await client.upload(INPUT))).body as { id: string };
    const empty = { headers: { "content-type": "application/json", "content-length": "0" } };

    const first = await cancel(client, id, empty);
    const again = await cancel(client, id, { headers: empty.headers, body: "" });
    const ended = await client.finished(id);
    const afterwards = await cancel(client, id, empty);

    expect([first.status, again.status, afterwards.status]).toEqual([200, 200, 200]);
    const { status, cancelling_at: at } = (await first.json()) as Batch;
    expect([status, at]).toEqual(["cancelling", expect.any(Number)]);
    expect(await again.json()).toMatchObject({ cancelling_at: at });
    expect(ended).toMatchObject({ status: "cancelled", cancelling_at: at });
    expect(await afterwards.json()).toEqual(ended);
    await simulator().configure({ faults: [] });
  });

  test.each(["completed", "failed", "expired"])(
    "§3.3: cancelling what is %s is 409, not to be repeated",
    async (status) => {
      const { client, wire } = open();
      await simulator().configure({ faults: status === "expired" ? [{ match: "Why", hangMs: 60_000 }] : [] });
      const text = status === "failed" ? `${INPUT}{` : INPUT;
      const { id } = (await wire.createBatch(await client.upload(text))).body as { id: string };
      if (status === "expired") await endWindow(stack(), id);
      const ended = await client.finished(id);

      const reply = await cancel(client, id);

      expect(ended.status).toBe(status);
      expect([reply.status, reply.headers.get("x-should-retry")]).toEqual([409, "false"]);
      expect(await reply.json()).toEqual(envelope(`Cannot cancel a batch with status '${status}'.`));
      expect(await client.retrieve(id)).toEqual(ended);
      await simulator().configure({ faults: [] });
    },
  );

  test("§3.2, §7.14: a batch of which every request fails is completed, without an output file", async () => {
    await simulator().configure({
      faults: [{ match: "Why", status: 400, times: 2, body: `{"error":{"message":"No"}}` }],
    });

    const batch = await run(`${chatLine("a", "Why 1?")}\n${chatLine("b", "Why 2?")}\n`);

    expect(batch).toMatchObject({
      status: "completed",
      output_file_id: null,
      error_file_id: expect.stringMatching(/^file-/),
      request_counts: { total: 2, completed: 0, failed: 2 },
      usage: ZERO_USAGE,
      errors: null,
    });
    await simulator().configure({ faults: [] });
  });

  test("§1.3, §1.5: the list is newest first, 20 to a page unless asked, and pages to its end", async () => {
    const { wire } = open();
    const made: string[] = [];
    for (let i = 0; i < 22; i += 1) made.unshift((await wire.createBatch("file-1")).body["id"] as string);

    const first = (await wire.get("/v1/batches")).body;
    const second = (await wire.get(`/v1/batches?limit=2&after=${String(first["last_id"])}`)).body;

    expect(idsOf(first)).toEqual(made.slice(0, 20));
    expect(first).toMatchObject({ object: "list", has_more: true, first_id: made[0], last_id: made[19] });
    expect(idsOf(second)).toEqual(made.slice(20, 22));
    expect((await wire.get("/v1/batches?limit=100")).status).toBe(200);
  });

  test.each([
    ["limit=0", "limit"],
    ["limit=101", "limit"],
    ["limit=ten", "limit"],
    ["after=batch_nothing", "after"],
  ])("§1.5: GET /v1/batches?%s is 400", async (query, param) => {
    expect(await open().wire.get(`/v1/batches?${query}`)).toMatchObject({ status: 400, body: { error: { param } } });
  });

  test.each([
    ["GET", ""],
    ["POST", "/cancel"],
  ])("§5.2: %s of an unknown batch%s is 404", async (method, tail) => {
    const reply = await open().client.request(`/v1/batches/batch_nothing${tail}`, { method });

    expect([reply.status, await reply.json()]).toEqual([404, envelope("No batch found with id 'batch_nothing'.")]);
  });
});
