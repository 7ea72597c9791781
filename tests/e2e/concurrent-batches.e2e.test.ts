/** A tier with `concurrent_batches: 1`: three batches of a tenant run one after the other, and none is forgotten. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, type Stack, until } from "@nightshift/testing";
import { chatLine, createBatchClient } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

const LINES = 40;

interface Stay {
  readonly began: number;
  readonly ended: number;
}

/** When each batch was in progress, by the truth itself: a test that polls would miss an overlap. */
async function stays(stack: Stack, ids: readonly string[]): Promise<Stay[]> {
  const rows = await stack.sql<{ began: Date; ended: Date }>(
    `select in_progress_at as began, coalesce(completed_at, cancelled_at) as ended
    from batches where id = any($1) and in_progress_at is not null order by in_progress_at`,
    [ids],
  );
  return rows.map(({ began, ended }) => ({ began: began.getTime(), ended: ended.getTime() }));
}

function content(): string {
  return Array.from({ length: LINES }, (_, index) => chatLine(`line-${String(index)}`, "How long?")).join("\n");
}

describe.each(availableProfiles())("%s", (profile) => {
  const { stack } = useStack({
    profile,
    workers: 2,
    routes: (baseUrl) =>
      `upstreams: { simulator: { base_url: "${baseUrl}", concurrency: 10 } }\n` +
      "tiers: { default: { concurrent_batches: 1, queued_batches: 2 } }\n",
    simulator: { SIMULATOR_LATENCY_MS: "200" },
  });

  test("one runs, the others wait in validating; all complete, never two at once", async () => {
    const client = createBatchClient(stack());
    const file = await client.upload(content());
    const created = await Promise.all([1, 2, 3].map(() => client.create(file)));
    const ids = created.map(({ id }) => id);

    const seen: string[][] = [];
    const finals = await until(
      async () => {
        const batches = await Promise.all(ids.map((id) => client.retrieve(id)));
        seen.push(batches.map(({ status }) => status).sort());
        return batches.every(({ status }) => status === "completed") && batches;
      },
      { message: "all three are completed", timeoutMs: 60_000, everyMs: 50 },
    );

    expect(seen).toContainEqual(["in_progress", "validating", "validating"]);
    for (const { request_counts: counts } of finals) {
      expect(counts).toEqual({ total: LINES, completed: LINES, failed: 0 });
    }
    const [first, second, third] = await stays(stack(), ids);
    expect(second!.began).toBeGreaterThanOrEqual(first!.ended);
    expect(third!.began).toBeGreaterThanOrEqual(second!.ended);
  });

  test("a fourth is refused while three are unfinished; a waiting one can be cancelled; the running one's cancel wakes the next", async () => {
    const client = createBatchClient(stack());
    const file = await client.upload(content());
    const [first, second, third] = [await client.create(file), await client.create(file), await client.create(file)];
    await until(async () => (await client.retrieve(first.id)).status === "in_progress", { message: "one runs" });

    const body = JSON.stringify({ input_file_id: file, endpoint: "/v1/chat/completions", completion_window: "24h" });
    const refused = await client.request("/v1/batches", { method: "POST", body });
    await client.request(`/v1/batches/${second.id}/cancel`, { method: "POST" });
    const cancelled = await client.finished(second.id);
    const isThirdWaiting = (await client.retrieve(third.id)).status;
    await client.request(`/v1/batches/${first.id}/cancel`, { method: "POST" });
    const next = await client.finished(third.id);

    expect(refused.status).toBe(429);
    expect(((await refused.json()) as { error: { code: string } }).error.code).toBe("batch_queue_full");
    expect(cancelled).toMatchObject({ status: "cancelled", output_file_id: null, error_file_id: null });
    expect(isThirdWaiting).toBe("validating");
    expect(next).toMatchObject({ status: "completed", request_counts: { total: LINES, completed: LINES, failed: 0 } });
  });
});
