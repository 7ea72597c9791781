/** All workers share the limits of an upstream, and a small batch does not wait for a large one. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, until } from "@nightshift/testing";
import { chatLine, createBatchClient } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

const CONCURRENCY = 8;

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({
    profile,
    workers: 2,
    env: { UPSTREAM_CONCURRENCY: String(CONCURRENCY), WORKER_PROCESSES: "2" },
  });

  test("the workers together use the concurrency of the upstream and do not exceed it", async () => {
    await simulator().forget();
    await simulator().configure({ latencyMs: 100, faults: [] });
    const lines = Array.from({ length: 200 }, (_, index) => chatLine(`line-${String(index)}`, "?"));

    const batch = await createBatchClient(stack()).run(lines.join("\n"));

    expect(batch.request_counts).toEqual({ total: 200, completed: 200, failed: 0 });
    const { maxInFlight } = await simulator().stats();
    expect(maxInFlight).toBeLessThanOrEqual(CONCURRENCY);
    expect(maxInFlight).toBeGreaterThan(CONCURRENCY / 2);
  });

  test("a 429 with Retry-After pauses the upstream for all batches", async () => {
    await simulator().forget();
    await simulator().configure({
      latencyMs: 0,
      faults: [{ match: "First", status: 429, headers: { "retry-after": "1" } }],
    });
    const client = createBatchClient(stack());
    const first = await client.create(await client.upload(chatLine("a", "First")));
    const refusedAt = await until(
      async () => {
        const { byStatus, firstAt } = await simulator().stats();
        return byStatus["429"] === 1 && firstAt;
      },
      { message: "the first line received the 429" },
    );

    await simulator().forget();
    const second = await client.create(await client.upload(chatLine("b", "Second")));
    const batches = [await client.finished(first.id), await client.finished(second.id)];
    const { firstAt } = await simulator().stats();

    expect(batches.map(({ request_counts: { completed } }) => completed)).toEqual([1, 1]);
    expect(firstAt! - refusedAt).toBeGreaterThanOrEqual(1000);
  });

  test("a batch of 3 lines does not wait for a batch of 3,000", async () => {
    await simulator().configure({ latencyMs: 300, faults: [] });
    const client = createBatchClient(stack());
    const large = Array.from({ length: 3_000 }, (_, index) => chatLine(`large-${String(index)}`, "?"));
    const small = Array.from({ length: 3 }, (_, index) => chatLine(`small-${String(index)}`, "?"));

    const { id } = await client.create(await client.upload(large.join("\n")));
    await until(async () => (await client.retrieve(id)).request_counts.completed >= 16, {
      message: "the large batch is running",
    });
    const begun = await client.retrieve(id);
    const batch = await client.run(small.join("\n"));
    const afterwards = await client.retrieve(id);

    expect(batch.request_counts).toEqual({ total: 3, completed: 3, failed: 0 });
    // The test counts lines, not seconds. In order of arrival, the small batch would have waited for all lines of the
    // large batch.
    expect(afterwards.status).toBe("in_progress");
    expect(afterwards.request_counts.completed - begun.request_counts.completed).toBeLessThan(300);
  });
});
