/**
 * Tiers on a whole stack: concurrent and queued batches of a tenant, lines per batch, requests per minute, revoked
 * keys.
 */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, type Stack, until } from "@nightshift/testing";
import { chatLine, createBatchClient } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

const LINES = 40;

interface Stay {
  readonly began: number;
  readonly ended: number;
}

/** Returns when each batch was in progress, as the database recorded it. A test that polls would miss an overlap. */
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
      `tiers: { default: { concurrent_batches: 1, queued_batches: 2, lines_per_batch: ${String(LINES)} }, ` +
      "slow: { requests_per_minute: 10 } }\n",
    simulator: { SIMULATOR_LATENCY_MS: "200" },
  });

  test("a tenant's batches run one at a time, the others wait in `validating`, and all complete", async () => {
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

  test("a full queue returns 429, a waiting batch can be cancelled, and a cancel starts the next batch", async () => {
    const client = createBatchClient(stack());
    const file = await client.upload(content());
    const [first, second, third] = [await client.create(file), await client.create(file), await client.create(file)];
    await until(async () => (await client.retrieve(first.id)).status === "in_progress", {
      message: "the first batch runs",
    });

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

  // Long files are validated in a separate thread.
  test.each([
    ["short", 10],
    ["long", 10_000],
  ])("a %s file with one line more than lines_per_batch fails the batch", async (_name, bytes) => {
    const client = createBatchClient(stack());
    const lines = Array.from({ length: LINES + 1 }, (_, index) => chatLine(`line-${String(index)}`, "x".repeat(bytes)));

    const batch = await client.run(lines.join("\n"));

    expect(batch.status).toBe("failed");
    expect(batch.errors?.data).toEqual([
      expect.objectContaining({
        code: "too_many_tasks",
        message: expect.stringContaining(`more than ${String(LINES)}`),
      }),
    ]);
  });

  test("all APIs share a tenant's requests per minute, and all reject its revoked key", async () => {
    const { urls, adminKey } = stack();
    const admin = async (method: string, path: string, body?: object): Promise<Record<string, string>> => {
      const headers = { authorization: `Bearer ${adminKey}` };
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      return (await (await fetch(`${stack().url}/admin/v1${path}`, init)).json()) as Record<string, string>;
    };
    const { id = "", key = "" } = await admin("POST", "/keys", { tenant: "acme" });
    await admin("POST", "/tenants/acme", { tier: "slow" });
    const authorization = `Bearer ${key}`;
    const ask = async (url = ""): Promise<number> =>
      (await fetch(`${url}/v1/files`, { headers: { authorization } })).status;

    const statuses = await Promise.all(Array.from({ length: 40 }, (_, index) => ask(urls[index % urls.length])));
    await admin("DELETE", `/keys/${id}`);
    await until(async () => (await Promise.all(urls.map(ask))).every((status) => status === 401), {
      message: "no API accepts the key",
      timeoutMs: 15_000,
      everyMs: 500,
    });

    const served = statuses.filter((status) => status === 200).length;
    // Up to twice the limit is served if a new minute starts in between.
    expect(served).toBeGreaterThanOrEqual(10);
    expect(served).toBeLessThanOrEqual(20);
    expect(statuses.filter((status) => status === 429)).toHaveLength(40 - served);
  });
});
