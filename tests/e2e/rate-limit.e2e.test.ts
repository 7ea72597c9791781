/** An upstream's requests per minute, held by all workers together and used up: the upstream counts for itself. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, until } from "@nightshift/testing";
import { chatLine, createBatchClient } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

const PER_MINUTE = 600;
const MINUTE_MS = 60_000;
/** More than a minute's worth, so that the minute is full. */
const LINES = 700;

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({
    profile,
    workers: 2,
    env: { UPSTREAM_REQUESTS_PER_MINUTE: String(PER_MINUTE) },
    simulator: { SIMULATOR_REQUESTS_PER_MINUTE: String(PER_MINUTE), SIMULATOR_LATENCY_MS: "200" },
  });

  test("the workers together keep below the rate, and use at least 90 % of it", async () => {
    const client = createBatchClient(stack());
    const lines = Array.from({ length: LINES }, (_, index) => chatLine(`line-${String(index)}`, "How many?"));

    const { id } = await client.create(await client.upload(lines.join("\n")));
    await until(async () => (await simulator().stats()).requests > 0, { message: "the first line is sent" });
    const begun = performance.now();
    const after = await until(
      async () => {
        const stats = await simulator().stats();
        return performance.now() - begun >= MINUTE_MS && stats;
      },
      { message: "a minute has passed", timeoutMs: MINUTE_MS + 10_000, everyMs: 100 },
    );
    const batch = await client.finished(id);

    const throttled = (await simulator().stats()).byStatus["429"] ?? 0;
    expect(batch.request_counts).toEqual({ total: LINES, completed: LINES, failed: 0 });
    expect(throttled).toBeLessThanOrEqual(LINES * 0.005);
    expect(after.requests).toBeGreaterThanOrEqual(PER_MINUTE * 0.9);
  });
});
