/** POST /v1/batches/{id}/retry: failed lines of a finished batch end in its files, as if they had never failed. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, type Stack, until } from "@nightshift/testing";
import { type Batch, chatLine, createBatchClient } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

/** More often than any line here is sent: until told otherwise. */
const ALWAYS = 1_000;

/** Asks for a retry, as curl would. */
function retry(stack: Stack, batchId: string, body?: unknown): Promise<Response> {
  return createBatchClient(stack).request(`/v1/batches/${batchId}/retry`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** The batch once so many of its lines are counted as failed, and nothing of it is under way any more. */
function settled(stack: Stack, batchId: string, failed: number, timeoutMs = 60_000): Promise<Batch> {
  const isSettled = async (): Promise<Batch | false> => {
    const [open] = await stack.sql<{ count: number }>(
      `select count(*)::int as count from mends m join batches b on b.number = m.batch
      where b.id = $1 and m.state in ('open', 'answered')`,
      [batchId],
    );
    const batch = await createBatchClient(stack).retrieve(batchId);
    return open?.count === 0 && batch.request_counts.failed === failed && batch;
  };
  return until(isSettled, { message: `${batchId} has ${String(failed)} failed lines`, timeoutMs, everyMs: 100 });
}

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({
    profile,
    env: { UPSTREAM_CONCURRENCY: "32", UPSTREAM_MAX_ATTEMPTS: "1" },
  });

  const head = async (fileId: string | null): Promise<Headers> =>
    (await createBatchClient(stack()).request(`/v1/files/${String(fileId)}/content`, { method: "HEAD" })).headers;

  test("all lines of a finished batch end in the same output file, once each, and the error file is gone", async () => {
    await simulator().configure({
      faults: [
        { match: "broken", status: 500, times: ALWAYS },
        { match: "refused", status: 400, times: ALWAYS },
      ],
    });
    const client = createBatchClient(stack());
    const names = Array.from({ length: 30 }, (_, i) => `${["good", "broken", "refused"][i % 3] ?? ""}-${String(i)}`);
    const before = await client.run(names.map((name) => chatLine(name, name)).join("\n"));
    const oldEtag = (await head(before.output_file_id)).get("etag");
    const oldOutput = await client.content(String(before.output_file_id));
    const [oldBlob] = await stack().sql<{ key: string }>("select blob as key from files where id = $1", [
      before.output_file_id,
    ]);
    await simulator().configure({ faults: [] });

    const reply = await retry(stack(), before.id);
    const asked = (await reply.json()) as Batch;
    const after = await settled(stack(), before.id, 0);
    const lines = await client.lines(after.output_file_id);

    expect(before.request_counts).toEqual({ total: 30, completed: 10, failed: 20 });
    expect(reply.status).toBe(200);
    expect(asked).toMatchObject({ id: before.id, status: "completed", output_file_id: before.output_file_id });
    expect(after).toEqual({
      ...before,
      error_file_id: null,
      request_counts: { total: 30, completed: 30, failed: 0 },
      usage: after.usage,
    });
    expect(after.usage["total_tokens"]).toBeGreaterThan(before.usage["total_tokens"] as number);
    expect(lines.map((line) => line.custom_id)).toEqual(names);
    expect(lines.every((line) => line.response?.status_code === 200)).toBe(true);
    expect(
      (await client.content(String(after.output_file_id))).includes(oldOutput.subarray(0, oldOutput.indexOf("\n"))),
    ).toBe(true);
    expect((await head(after.output_file_id)).get("etag")).not.toBe(oldEtag);
    expect((await client.request(`/v1/files/${String(before.error_file_id)}`)).status).toBe(404);
    expect(
      await stack().sql("select retired_at is not null as kept from blobs where key = $1", [oldBlob?.key]),
    ).toEqual([{ kept: true }]);
    const keys = (await simulator().seen()).map(({ key }) => key).filter((key) => key.startsWith(before.id));
    expect(keys.filter((key) => key.endsWith("-1"))).toHaveLength(20);
  });

  test("a retry that fails again replaces that error line and nothing else", async () => {
    await simulator().configure({
      faults: [{ match: "broken", status: 400, times: ALWAYS, body: '{"error":{"message":"first"}}' }],
    });
    const client = createBatchClient(stack());
    const before = await client.run(["broken-a", "good", "broken-b"].map((name) => chatLine(name, name)).join("\n"));
    const oldErrors = await client.lines(before.error_file_id);
    const oldEtag = (await head(before.output_file_id)).get("etag");
    await simulator().configure({
      faults: [{ match: "broken", status: 400, times: ALWAYS, body: '{"error":{"message":"second"}}' }],
    });

    await retry(stack(), before.id, { custom_ids: ["broken-b"] });
    const after = await until(
      async () => {
        const errors = await client.lines(before.error_file_id);
        return JSON.stringify(errors).includes("second") && errors;
      },
      { message: "the error line is the new one" },
    );

    expect(after[0]).toEqual(oldErrors[0]);
    expect(after.map((line) => [line.custom_id, line.response?.body])).toEqual([
      ["broken-a", { error: { message: "first" } }],
      ["broken-b", { error: { message: "second" } }],
    ]);
    expect(await client.retrieve(before.id)).toEqual(before);
    expect((await head(before.output_file_id)).get("etag")).toBe(oldEtag);
  });

  test("200 retried lines outlive kill -9 of the worker and the loss of the queue, and end in the output once each", async () => {
    await simulator().configure({ faults: [{ match: "broken", status: 500, times: ALWAYS }] });
    const client = createBatchClient(stack());
    const names = Array.from({ length: 220 }, (_, i) => `${i < 20 ? "good" : "broken"}-${String(i)}`);
    const before = await client.run(names.map((name) => chatLine(name, name)).join("\n"));
    await simulator().configure({ latencyMs: 400, faults: [] });

    const reply = await retry(stack(), before.id);
    await until(
      async () => {
        const [row] = await stack().sql<{ count: number }>(
          "select count(*)::int as count from mends m join batches b on b.number = m.batch where b.id = $1 and state = 'answered'",
          [before.id],
        );
        return (row?.count ?? 0) > 20;
      },
      { message: "some of the retried lines have a result", timeoutMs: 30_000 },
    );
    const meanwhile = await client.retrieve(before.id);
    await stack().kill9("worker");
    await stack().wipeQueue();
    await stack().restart();
    const after = await settled(stack(), before.id, 0, 120_000);
    await simulator().configure({ latencyMs: 0 });

    expect(before.request_counts).toEqual({ total: 220, completed: 20, failed: 200 });
    expect(reply.status).toBe(200);
    expect(meanwhile).toEqual(before);
    expect(after).toMatchObject({
      status: "completed",
      output_file_id: before.output_file_id,
      error_file_id: null,
      request_counts: { total: 220, completed: 220, failed: 0 },
    });
    expect((await client.lines(after.output_file_id)).map((line) => line.custom_id)).toEqual(names);
  });
});
