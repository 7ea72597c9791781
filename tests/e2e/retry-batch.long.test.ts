/** POST /v1/batches/{id}/retry: retried lines of a finished batch move to its files, as if they had never failed. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, type Stack, until } from "@nightshift/testing";
import { type Batch, chatLine, createBatchClient, type ResultLine } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

/** More often than any line is sent here, so the fault remains until the settings change. */
const ALWAYS = 1_000;

/** Requests a retry, as curl would. */
function retry(stack: Stack, batchId: string, body?: unknown): Promise<Response> {
  return createBatchClient(stack).request(`/v1/batches/${batchId}/retry`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Resolves with the batch when `failed` of its lines count as failed and none of its retries is open. */
function settled(stack: Stack, batchId: string, failed: number, timeoutMs = 60_000): Promise<Batch> {
  const isSettled = async (): Promise<Batch | false> => {
    const [open] = await stack.sql<{ count: number }>(
      `select count(*)::int as count from retries m join batches b on b.batch_no = m.batch_no
      where b.id = $1 and m.state in ('open', 'answered')`,
      [batchId],
    );
    const batch = await createBatchClient(stack).retrieve(batchId);
    return open?.count === 0 && batch.request_counts.failed === failed && batch;
  };
  return until(isSettled, { message: `${batchId} has ${String(failed)} failed lines`, timeoutMs, everyMs: 100 });
}

/** Returns the entries of the batch's history except its states, oldest first. */
async function writtenHistory(stack: Stack, batchId: string): Promise<{ type: string; requested_by: string | null }[]> {
  const reply = await createBatchClient(stack).request(`/v1/batches/${batchId}/history?limit=100`);
  const { data } = (await reply.json()) as { data: { type: string; requested_by: string | null }[] };
  return data.filter(({ type }) => type !== "status").reverse();
}

/**
 * Reads the results to their end, as a client that waits for them. Returns the custom_id and the HTTP status of each
 * line.
 */
async function followResults(stack: Stack, batchId: string): Promise<(readonly [string, number])[]> {
  const seen: (readonly [string, number])[] = [];
  for (let after = ""; ;) {
    const reply = await createBatchClient(stack).request(`/v1/batches/${batchId}/results?limit=1000&wait=30${after}`);
    const page = (await reply.json()) as { data: ResultLine[]; has_more: boolean; next_cursor: string };
    seen.push(...page.data.map((line) => [line.custom_id, line.response?.status_code ?? 0] as const));
    if (!page.has_more) return seen;
    after = `&after=${page.next_cursor}`;
  }
}

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({
    profile,
    env: { UPSTREAM_CONCURRENCY: "32", UPSTREAM_MAX_ATTEMPTS: "1" },
  });

  const head = async (fileId: string | null): Promise<Headers> =>
    (await createBatchClient(stack()).request(`/v1/files/${String(fileId)}/content`, { method: "HEAD" })).headers;

  test("all failed lines move to the output file, once each, and the error file is deleted", async () => {
    await simulator().configure({
      faults: [
        { match: "broken", status: 500, times: ALWAYS },
        { match: "refused", status: 400, times: ALWAYS },
      ],
    });
    const client = createBatchClient(stack());
    const names = Array.from({ length: 750 }, (_, i) => `${["good", "broken", "refused"][i % 3] ?? ""}-${String(i)}`);
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

    expect(before.request_counts).toEqual({ total: 750, completed: 250, failed: 500 });
    expect(reply.status).toBe(200);
    expect(asked).toMatchObject({ id: before.id, status: "completed", output_file_id: before.output_file_id });
    expect(after).toEqual({
      ...before,
      error_file_id: null,
      request_counts: { total: 750, completed: 750, failed: 0 },
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
    expect(keys.filter((key) => key.endsWith("-1"))).toHaveLength(500);
    const history = await writtenHistory(stack(), before.id);
    expect(history.map(({ type }) => type)).toEqual(["retry_requested", "retry_succeeded", "files_rebuilt"]);
    expect(history[0]?.requested_by).toMatch(/^key_/);
  });

  test("retried lines of a running batch run at once, and a reader of results sees each outcome despite a crash", async () => {
    // Only the end of the worker ends these lines, so the batch runs until the worker is killed.
    const slow = { match: "slow", hangMs: 300_000, times: ALWAYS };
    await simulator().configure({ faults: [{ match: "broken", status: 500, times: ALWAYS }, slow] });
    const client = createBatchClient(stack());
    const broken = Array.from({ length: 20 }, (_, i) => `broken-${String(i)}`);
    // There are fewer slow lines than one worker has slots, so the broken lines never wait for the slow lines.
    const others = Array.from({ length: 10 }, (_, i) => `slow-${String(i)}`);
    const input = await client.upload([...broken, ...others].map((name) => chatLine(name, name)).join("\n"));
    const { id } = await client.create(input);
    const following = followResults(stack(), id);
    await until(async () => (await client.retrieve(id)).request_counts.failed === broken.length, {
      message: "the broken lines are out of attempts",
      timeoutMs: 60_000,
    });
    await simulator().configure({ faults: [slow] });

    const asked = (await (await retry(stack(), id)).json()) as Batch;
    await stack().kill9("worker");
    await simulator().configure({ faults: [] });
    await stack().restart();
    const batch = await client.finished(id, 120_000);

    expect(asked).toMatchObject({ status: "in_progress", request_counts: { total: 30, failed: 0 } });
    expect(batch).toMatchObject({ status: "completed", error_file_id: null });
    expect(batch.request_counts).toEqual({ total: 30, completed: 30, failed: 0 });
    expect((await client.lines(batch.output_file_id)).map((line) => line.custom_id)).toEqual([...broken, ...others]);
    const followed = await following;
    const statuses = (name: string): number[] => followed.flatMap(([of, status]) => (of === name ? [status] : []));
    expect(new Set(broken.map((name) => statuses(name).join()))).toEqual(new Set(["500,200"]));
    expect(new Set(others.map((name) => statuses(name).join()))).toEqual(new Set(["200"]));
    expect(followed).toHaveLength(2 * broken.length + others.length);
  });

  test("a running download gets the old file to its end, and an old ETag returns the new file", async () => {
    // The file is larger than the socket buffers between client and server, and larger than a file that is sorted.
    await simulator().configure({ replyBytes: 400_000, faults: [{ match: "broken", status: 400, times: ALWAYS }] });
    const client = createBatchClient(stack());
    const names = ["broken", ...Array.from({ length: 49 }, (_, i) => `good-${String(i)}`)];
    const before = await client.run(names.map((name) => chatLine(name, name)).join("\n"));
    await simulator().configure({ replyBytes: 100, faults: [] });
    const path = `/v1/files/${String(before.output_file_id)}/content`;
    const old = await client.content(String(before.output_file_id));
    const download = await client.request(path);
    const reader = (download.body as ReadableStream<Uint8Array>).getReader();
    const chunks = [(await reader.read()).value ?? new Uint8Array(0)];

    await retry(stack(), before.id);
    await settled(stack(), before.id, 0);
    for (let next = await reader.read(); next.value !== undefined; next = await reader.read()) chunks.push(next.value);

    expect(Buffer.concat(chunks).equals(old)).toBe(true);
    const content = await client.content(String(before.output_file_id));
    expect(content.subarray(0, old.length).equals(old)).toBe(true);
    expect((JSON.parse(content.subarray(old.length).toString()) as ResultLine).custom_id).toBe("broken");
    const [oldEtag, etag] = [download.headers.get("etag") ?? "", (await head(before.output_file_id)).get("etag") ?? ""];
    const part = async (headers: Record<string, string>): Promise<readonly [number, number]> => {
      // Without `cache-control`, fetch asks for a reply that does not come from a cache, so a 304 is not possible.
      const reply = await client.request(path, { headers: { ...headers, "cache-control": "max-age=0" } });
      return [reply.status, (await reply.arrayBuffer()).byteLength];
    };
    const range = `bytes=${String(old.length)}-`;
    expect(await part({ range, "if-range": etag })).toEqual([206, content.length - old.length]);
    expect(await part({ range, "if-range": oldEtag })).toEqual([200, content.length]);
  });

  test("a retry that fails again replaces only its error line", async () => {
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

  test("200 retried lines survive kill -9 of the worker and the loss of the queue", async () => {
    await simulator().configure({ faults: [{ match: "broken", status: 500, times: ALWAYS }] });
    const client = createBatchClient(stack());
    const names = Array.from({ length: 220 }, (_, i) => `${i < 20 ? "good" : "broken"}-${String(i)}`);
    const before = await client.run(names.map((name) => chatLine(name, name)).join("\n"));
    await simulator().configure({ latencyMs: 400, faults: [] });

    const reply = await retry(stack(), before.id);
    await until(
      async () => {
        const [row] = await stack().sql<{ count: number }>(
          "select count(*)::int as count from retries m join batches b on b.batch_no = m.batch_no where b.id = $1 and state = 'answered'",
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
