/** Contract §4.3 to §4.5, §5.2 and §5.3, row by row: the lines of result files, and what replies say besides their bodies. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles } from "@nightshift/testing";
import { type Batch, chatLine, createBatchClient } from "../batch-client.ts";
import { useStack } from "../use-stack.ts";
import { createWire, envelope } from "./wire.ts";

const REFUSAL = { error: { message: "No", type: "invalid_request_error", param: "messages", code: "too_long" } };

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({ profile });

  const runMixed = async (): Promise<{ batch: Batch; output: string; errors: string }> => {
    const client = createBatchClient(stack());
    await simulator().configure({ faults: [{ match: "bad", status: 400, body: JSON.stringify(REFUSAL) }] });
    const batch = await client.run(
      [chatLine("good-1", "?"), chatLine("wrong", "bad"), chatLine("good-2", "?")].join("\n"),
    );
    const [output, errors] = await Promise.all(
      [batch.output_file_id, batch.error_file_id].map(async (id) => (await client.content(id ?? "")).toString()),
    );
    return { batch, output: output ?? "", errors: errors ?? "" };
  };

  test("§4.3, §7.1, §7.2, §7.22: an output line has four keys, an object as body, and ends in LF", async () => {
    const { output } = await runMixed();
    const lines = output.split("\n");

    expect(lines.at(-1)).toBe("");
    expect(lines).toHaveLength(3);
    for (const text of lines.slice(0, -1)) {
      const line = JSON.parse(text) as Record<string, Record<string, unknown>>;
      expect(Object.keys(line)).toEqual(["id", "custom_id", "response", "error"]);
      expect(line).toEqual({
        id: expect.stringMatching(/^batch_req_[0-9a-f]{32}$/),
        custom_id: expect.stringMatching(/^good-[12]$/),
        response: {
          status_code: 200,
          request_id: expect.any(String),
          body: expect.objectContaining({ object: "chat.completion" }),
        },
        error: null,
      });
    }
  });

  test("§4.4, §7.3: what the endpoint refused is an error line with status and body, and no error beside them", async () => {
    const { errors } = await runMixed();

    expect(errors.endsWith("\n")).toBe(true);
    expect(JSON.parse(errors)).toEqual({
      id: expect.stringMatching(/^batch_req_[0-9a-f]{32}$/),
      custom_id: "wrong",
      response: { status_code: 400, request_id: expect.any(String), body: REFUSAL },
      error: null,
    });
  });

  test("§2, §4.5, §7.7, §7.19: both files are listed, by purpose and by name", async () => {
    const { batch } = await runMixed();
    const { body } = await createWire(createBatchClient(stack())).get("/v1/files?purpose=batch_output");

    expect(batch.request_counts).toEqual({ total: 3, completed: 2, failed: 1 });
    expect(body["data"]).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: batch.output_file_id, filename: `${batch.id}_output.jsonl` }),
        expect.objectContaining({ id: batch.error_file_id, filename: `${batch.id}_error.jsonl` }),
      ]),
    );
  });

  test("§1.1: a result file can be deleted; its batch still names it", async () => {
    const client = createBatchClient(stack());
    const { batch } = await runMixed();

    const deleted = await createWire(client).remove(`/v1/files/${batch.output_file_id ?? ""}`);

    expect(deleted.status).toBe(200);
    expect(await client.retrieve(batch.id)).toEqual(batch);
  });

  test.each([
    ["no key", "", null, /^You didn't provide an API key\./],
    ["a wrong key", "Bearer sk-wrong-key-of-nobody", "invalid_api_key", /^Incorrect API key provided: sk-w\*+body\./],
  ])("§5.2: %s is 401", async (_what, authorization, code, message) => {
    const reply = await createBatchClient(stack()).request("/v1/batches", { headers: { authorization } });

    expect(reply.status).toBe(401);
    expect(await reply.json()).toEqual(envelope(expect.stringMatching(message), null, code));
  });

  test.each([
    ["GET", "/v1/nothing", 404],
    ["PUT", "/v1/batches", 405],
    ["DELETE", "/v1/batches", 405],
    ["PATCH", "/v1/files", 405],
  ])("§5.1, §5.2: %s %s is %d in the envelope", async (method, path, status) => {
    const reply = await createBatchClient(stack()).request(path, { method });

    expect(reply.status).toBe(status);
    expect(reply.headers.get("content-type")).toMatch(/^application\/json/);
    expect(await reply.json()).toMatchObject({
      error: { type: "invalid_request_error", message: expect.stringContaining(path), param: null },
    });
  });

  test("§5.3: every reply has an id of its own and its time; lists and objects are JSON", async () => {
    const { request } = createBatchClient(stack());

    const replies = await Promise.all(
      ["/v1/files", "/v1/batches", "/v1/batches/batch_0", "/v1/nothing"].map((path) => request(path)),
    );

    const ids = replies.map((reply) => reply.headers.get("x-request-id"));
    expect(new Set(ids).size).toBe(replies.length);
    for (const id of ids) expect(id).toMatch(/^req_[0-9a-f]{32}$/);
    for (const { headers } of replies) {
      expect(headers.get("openai-processing-ms")).toMatch(/^\d+$/);
      expect(headers.get("content-type")).toMatch(/^application\/json/);
    }
  });

  test.each([
    ["nothing", ""],
    ["half an object", "{"],
    ["a list", "[]"],
    ["null", "null"],
  ])("§7.9: a batch created with %s is 400, never 500", async (_what, body) => {
    const headers = { "content-type": "application/json" };
    const reply = await createBatchClient(stack()).request("/v1/batches", { method: "POST", headers, body });

    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  });
});
