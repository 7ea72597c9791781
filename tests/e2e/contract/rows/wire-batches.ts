/** Rows of contract §1.3, §3.1, §4.2 and §7 that need plain HTTP: order of keys, empty bodies, huge inputs. */
import { expect, test } from "@jest/globals";
import { type Batch, type BatchClient, createBatchClient } from "../../batch-client.ts";
import { batchOf } from "../fixture-batches.ts";
import type { ContractFixture } from "../fixture.ts";
import { createWire, type Wire } from "../wire.ts";

const embeddingLine = (customId: string, value: unknown): string =>
  JSON.stringify({
    custom_id: customId,
    method: "POST",
    url: "/v1/embeddings",
    body: { model: "embed", input: value },
  });

/** Registers the rows. */
export function wireBatchRows({ stack }: ContractFixture): void {
  const open = (): { client: BatchClient; wire: Wire } => {
    const client = createBatchClient(stack());
    return { client, wire: createWire(client) };
  };

  test("§3.1: the keys of a Batch object come in wire order", async () => {
    const { body } = await open().wire.post("/v1/batches", batchOf("file-1"));

    expect(Object.keys(body).join()).toBe(
      "id,object,endpoint,model,errors,input_file_id,completion_window,status,output_file_id,error_file_id,created_at," +
        "in_progress_at,expires_at,finalizing_at,completed_at,failed_at,expired_at,cancelling_at,cancelled_at," +
        "request_counts,usage,metadata",
    );
    expect(Object.keys(body["usage"] as object).join()).toBe(
      "input_tokens,output_tokens,total_tokens,input_tokens_details,output_tokens_details",
    );
  });

  test.each([
    ["none", {}],
    [
      "no body, but the headers of an empty JSON body",
      { headers: { "content-type": "application/json", "content-length": "0" } },
    ],
    ["an empty string as JSON", { headers: { "content-type": "application/json" }, body: "" }],
  ])("§1.3, §7.25: cancel accepts this body: %s", async (_what, init: RequestInit) => {
    const { client, wire } = open();
    const { body } = await wire.post("/v1/batches", batchOf("file-1"));
    const path = `/v1/batches/${String(body["id"])}/cancel`;

    const reply = await client.request(path, { method: "POST", ...init });

    // The batch does not have an input, so it may already have failed. In that case the 409 is not caused by the body.
    expect([200, 409]).toContain(reply.status);
    expect(await reply.json()).toMatchObject(reply.status === 200 ? { object: "batch" } : { error: { param: null } });
  });

  test.each([
    ["50,000 embedding inputs are accepted", 49_999, []],
    [
      "50,001 embedding inputs fail the batch",
      50_000,
      [
        {
          code: "too_many_inputs",
          message:
            "The requests of the input file have more than 50000 embedding inputs in total. Split it into several batches.",
          param: null,
          line: null,
        },
      ],
    ],
  ])("§4.2: %s", async (_what, count, errors) => {
    const { client } = open();
    const many = Array.from({ length: count }, () => "t");
    const text = [embeddingLine("one", "a text"), embeddingLine("many", many)].join("\n");

    const { id } = await client.create(await client.upload(text), "/v1/embeddings");
    const batch: Batch = await client.finished(id);

    expect(batch.errors?.data ?? []).toEqual(errors);
    expect(batch).toMatchObject(
      errors.length > 0
        ? { status: "failed", in_progress_at: null, request_counts: { total: 0 } }
        : { status: "completed", request_counts: { total: 2 } },
    );
  });

  test.each([
    ["nothing", ""],
    ["half an object", "{"],
    ["a list", "[]"],
    ["null", "null"],
  ])("§7.9: creating a batch with %s returns 400, never 500", async (_what, body) => {
    const headers = { "content-type": "application/json" };
    const reply = await open().client.request("/v1/batches", { method: "POST", headers, body });

    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  });
}
