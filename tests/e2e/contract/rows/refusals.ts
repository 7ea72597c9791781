/** Contract §5.2 and §5.3 for every client: API keys, rate limits, and which errors a client retries. */
import { expect, test } from "@jest/globals";
import { until } from "@nightshift/testing";
import { chatLine } from "../../batch-client.ts";
import { expectRefusal, idOf, jsonOf } from "../expectations.ts";
import { batchOf, endOf, uploadInput } from "../fixture-batches.ts";
import type { ClientFixture } from "../fixture.ts";
import { createTenantKey } from "../tenants.ts";

/** Registers the rows. */
export function refusalRows({ name, stack, client, batches }: ClientFixture): void {
  test("§5.2: an unknown API key returns 401, and the message shows only the two ends of the key", async () => {
    const stranger = client().withKey("sk-wrong-key-of-nobody");

    for (const answer of [await stranger.files.list(), await stranger.batches.create(batchOf("file-1"))]) {
      expectRefusal(answer, {
        status: 401,
        message: expect.stringMatching(/^Incorrect API key provided: sk-w\*+body\./),
        code: "invalid_api_key",
      });
    }
  });

  test("§5.2: another tenant's objects return the same 404 as unknown ids", async () => {
    const other = client().withKey(stack().key);
    const { ended, input } = await batches().mixed;
    const [fileId, batchId] = [String(input["id"]), String(ended["id"])];

    for (const call of [other.files.retrieve(fileId), other.files.content(fileId), other.files.delete(fileId)]) {
      expectRefusal(await call, { status: 404, message: `No such File object: ${fileId}`, param: "id" });
    }
    for (const call of [other.batches.retrieve(batchId), other.batches.cancel(batchId)]) {
      expectRefusal(await call, { status: 404, message: `No batch found with id '${batchId}'.` });
    }
  });

  test("§5.3: every reply has its own request id, which the client exposes, and its processing time", async () => {
    const { files, batches } = client();
    const answers = [await files.list(), await batches.list(), await files.retrieve("file-1"), await files.list()];

    expect(new Set(answers.map(({ requestId }) => requestId)).size).toBe(answers.length);
    for (const { replies } of answers) {
      expect(replies).toHaveLength(1);
      expect(replies[0]?.headers).toMatchObject({
        "x-request-id": expect.stringMatching(/^req_[0-9a-f]{32}$/),
        "openai-processing-ms": expect.stringMatching(/^\d+$/),
        "content-type": expect.stringMatching(/^application\/json/),
      });
    }
  });

  test("§5.3: a client retries a 429 for requests per minute after Retry-After", async () => {
    const hurried = client().withKey(await createTenantKey(stack(), `hurried-${name}`, "hurried"));
    // The first request of each minute is served, so the next request is also served if a new minute has started.
    const answer = await until(
      async () => {
        const tried = await hurried.batches.list();
        return tried.refusal !== null && tried;
      },
      { message: "a request exceeds the rate limit" },
    );

    expect(answer.refusal).toEqual({
      exception: "RateLimitError",
      status: 429,
      type: "rate_limit_error",
      code: "rate_limit_exceeded",
      param: null,
      message: expect.stringMatching(/^Rate limit reached: 1 requests per minute\. Please try again in \d+ s\.$/),
    });
    const told = answer.replies.map(({ headers }) => Number(headers["retry-after"]));
    expect(told).toHaveLength(client().retries + 1);
    for (const seconds of told) {
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(60);
    }
    // The clients wait exactly as long as `retry-after-ms` says, which has milliseconds.
    const toldMs = answer.replies.map(({ headers }) => Number(headers["retry-after-ms"]));
    expect(toldMs.map((ms) => Math.ceil(ms / 1000))).toEqual(told);
    expect(answer.waits).toEqual(toldMs.slice(0, -1).map((ms) => ms / 1000));
  });

  test("§5.3: a client does not retry a 429 for concurrent batches, because none ends within seconds", async () => {
    const small = client().withKey(await createTenantKey(stack(), `small-${name}`, "small"));
    const input = await uploadInput(small, chatLine("a", "UPSTREAM_HANGS"));
    const running = await idOf(small.batches.create(batchOf(String(input["id"]))));

    const answer = await small.batches.create(batchOf(String(input["id"])));

    expectRefusal(answer, {
      status: 429,
      type: "rate_limit_error",
      code: "batch_queue_full",
      message: expect.stringContaining("reached its limit of 1 unfinished batches"),
    });
    expect(answer.replies[0]?.headers).toMatchObject({ "x-should-retry": "false", "retry-after": "60" });
    expect(answer.waits).toEqual([]);
    await jsonOf(small.batches.cancel(running));
    expect(await endOf(small, running)).toMatchObject({ status: "cancelled" });
  });
}
