/** Rows of contract §5.1 to §5.3 that need plain HTTP: a missing API key, unknown URLs, wrong methods. */
import { expect, test } from "@jest/globals";
import { createBatchClient } from "../../batch-client.ts";
import type { ContractFixture } from "../fixture.ts";
import { envelope } from "../wire.ts";

/** Registers the rows. */
export function wireReplyRows({ stack }: ContractFixture): void {
  test("§5.2: a request without an API key returns 401", async () => {
    const reply = await createBatchClient(stack()).request("/v1/batches", { headers: { authorization: "" } });

    expect(reply.status).toBe(401);
    expect(await reply.json()).toEqual(envelope(expect.stringMatching(/^You didn't provide an API key\./)));
  });

  test.each([
    ["GET", "/v1/nothing", 404],
    ["PUT", "/v1/batches", 405],
    ["DELETE", "/v1/batches", 405],
    ["PATCH", "/v1/files", 405],
    ["GET", "/v1/uploads", 405],
  ])("§5.1, §5.2: %s %s returns %d in the error envelope", async (method, path, status) => {
    const reply = await createBatchClient(stack()).request(path, { method });

    expect(reply.status).toBe(status);
    expect(reply.headers.get("content-type")).toMatch(/^application\/json/);
    expect(await reply.json()).toMatchObject({
      error: { type: "invalid_request_error", message: expect.stringContaining(path), param: null },
    });
  });

  test("§5.3: every reply has its own request id and processing time, even for an unknown URL", async () => {
    const { request } = createBatchClient(stack());
    const paths = ["/v1/files", "/v1/batches", "/v1/batches/batch_0", "/v1/nothing"];

    const replies = await Promise.all(paths.map((path) => request(path)));

    const ids = replies.map((reply) => reply.headers.get("x-request-id"));
    expect(new Set(ids).size).toBe(replies.length);
    for (const id of ids) expect(id).toMatch(/^req_[0-9a-f]{32}$/);
    for (const { headers } of replies) {
      expect(headers.get("openai-processing-ms")).toMatch(/^\d+$/);
      expect(headers.get("content-type")).toMatch(/^application\/json/);
    }
  });
}
