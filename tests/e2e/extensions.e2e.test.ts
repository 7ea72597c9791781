/** The extensions of the API: idempotency keys, compressed files, progress events, early results, and retries. */
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, until } from "@nightshift/testing";
import OpenAI, { ConflictError } from "openai";
import { type BatchClient, chatLine, createBatchClient } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

const LINES = 3_000;

/** One page of results, with the text as received. */
interface Page {
  readonly text: string;
  readonly lines: readonly string[];
  readonly hasMore: boolean;
  readonly next: string;
}

async function readPage(client: BatchClient, id: string, query: Record<string, string>): Promise<Page> {
  const reply = await client.request(`/v1/batches/${id}/results?${new URLSearchParams(query).toString()}`);
  const text = await reply.text();
  if (reply.status !== 200) throw new Error(`${String(reply.status)} ${text}`);
  const { data, has_more, next_cursor } = JSON.parse(text) as {
    readonly data: readonly unknown[];
    readonly has_more: boolean;
    readonly next_cursor: string;
  };
  // The page puts each result on its own line, between the head and the tail of the page.
  const lines = text.split("\n").slice(1, -2);
  expect(lines).toHaveLength(Math.max(1, data.length));
  return {
    text,
    lines: data.length === 0 ? [] : lines.map((line, at) => (at === data.length - 1 ? line : line.slice(0, -1))),
    hasMore: has_more,
    next: next_cursor,
  };
}

/** Reads the results from the start to the end, `limit` lines at a time. */
async function follow(
  client: BatchClient,
  id: string,
  limit: () => number,
  wait: string,
): Promise<{ readonly lines: string[]; readonly pages: number }> {
  const lines: string[] = [];
  for (let after: string | null = null, pages = 1; ; pages += 1) {
    const query = { limit: String(limit()), wait, ...(after === null ? {} : { after }) };
    const page: Page = await readPage(client, id, query);
    lines.push(...page.lines);
    if (!page.hasMore) return { lines, pages };
    after = page.next;
  }
}

interface SentEvent {
  readonly event: string;
  readonly id: string;
  readonly data: { readonly status: string; readonly request_counts: { readonly completed: number } };
}

/** Reads a stream of events to its end. */
async function readEvents(reply: Response): Promise<SentEvent[]> {
  return (await reply.text())
    .split("\n\n")
    .filter((block) => block.includes("data: "))
    .map((block) => {
      const fields = new Map(block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
      const data = JSON.parse(fields.get("data") ?? "") as SentEvent["data"];
      return { event: fields.get("event") ?? "", id: fields.get("id") ?? "", data };
    });
}

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({
    profile,
    simulator: { SIMULATOR_LATENCY_MS: "60", SIMULATOR_ERROR_RATE: "0.02" },
  });

  test("a client reads results while the batch runs: each line once, with the same bytes as in the files", async () => {
    const client = createBatchClient(stack());
    const customIds = Array.from({ length: LINES }, (_, index) => `line-${String(index)}`);
    const input = await client.upload(customIds.map((one) => chatLine(one, "Why?")).join("\n"));
    const { id } = await client.create(input);

    const [followed, events] = await Promise.all([
      follow(client, id, () => 1 + Math.floor(Math.random() * 400), "30"),
      client.request(`/v1/batches/${id}/events`).then(readEvents),
    ]);
    const batch = await client.finished(id);
    const files = [batch.output_file_id, batch.error_file_id].filter((file) => file !== null);
    const inFiles = (await Promise.all(files.map(client.content))).flatMap((bytes) =>
      bytes.toString().split("\n").filter(Boolean),
    );

    expect(followed.lines).toHaveLength(LINES);
    expect(followed.pages).toBeGreaterThan(LINES / 400);
    expect([...followed.lines].sort()).toEqual(inFiles.sort());
    // After the batch has ended, a second reader gets the same lines in the same order.
    expect((await follow(client, id, () => 1000, "0")).lines).toEqual(followed.lines);

    expect(events.map(({ event }) => event)).toEqual([...events.slice(1).map(() => "progress"), "done"]);
    expect(events.at(-1)?.data).toMatchObject({ status: "completed", request_counts: { total: LINES } });
    const completed = events.map(({ data }) => data.request_counts.completed);
    expect(completed).toEqual([...completed].sort((a, b) => a - b));
    const headers = { "last-event-id": events.at(-1)?.id ?? "" };
    expect((await client.request(`/v1/batches/${id}/events`, { headers })).status).toBe(204);
  });

  test("repeated creates of the Node SDK with one idempotency key create one batch", async () => {
    const openai = new OpenAI({ apiKey: stack().key, baseURL: `${stack().url}/v1`, maxRetries: 0 });
    const client = createBatchClient(stack());
    const headers = { "Idempotency-Key": `job-${profile}-1` };
    const input = await client.upload(gzipSync(chatLine("a", "Why?")), "questions.jsonl.gz");
    const body = { input_file_id: input, endpoint: "/v1/chat/completions", completion_window: "24h" } as const;

    const first = await openai.batches.create(body, { headers });
    const again = await openai.batches.create(body, { headers }).withResponse();
    const other = openai.batches.create({ ...body, metadata: { job: "other" } }, { headers });

    expect(again.data.id).toBe(first.id);
    expect(again.response.headers.get("idempotency-replayed")).toBe("true");
    await expect(other).rejects.toThrow(ConflictError);
    expect((await openai.files.retrieve(input)).filename).toBe("questions.jsonl");
    expect(await client.finished(first.id)).toMatchObject({ status: "completed" });
  });

  test("a failed line of a finished batch is retried and moves to the output file", async () => {
    await simulator().configure({ faults: [{ match: "refused once", status: 400, times: 1 }] });
    const client = createBatchClient(stack());
    const { id } = await client.run([chatLine("good", "Why?"), chatLine("bad", "refused once")].join("\n"));
    const failed = await client.retrieve(id);

    const reply = await client.request(`/v1/batches/${id}/retry`, { method: "POST" });
    const retried = await until(
      async () => {
        const batch = await client.retrieve(id);
        return batch.error_file_id === null && batch;
      },
      { message: "the error file is gone", timeoutMs: 30_000 },
    );

    expect(failed.request_counts).toEqual({ total: 2, completed: 1, failed: 1 });
    expect(reply.status).toBe(200);
    expect(retried).toMatchObject({
      status: "completed",
      output_file_id: failed.output_file_id,
      request_counts: { total: 2, completed: 2, failed: 0 },
    });
    expect((await client.lines(retried.output_file_id)).map((line) => line.custom_id)).toEqual(["good", "bad"]);
  });

  test("an event stream ends cleanly when its API gets SIGTERM", async () => {
    const client = createBatchClient(stack());
    const lines = Array.from({ length: 2_000 }, (_, index) => chatLine(String(index), "Why?"));
    const { id } = await client.create(await client.upload(lines.join("\n")));
    const reading = client.request(`/v1/batches/${id}/events`).then(readEvents);
    await readPage(client, id, { wait: "30", limit: "1" });
    await stack().terminate("api");

    expect((await reading).length).toBeGreaterThan(0);
    await stack().restart();
    expect(await client.finished(id, 120_000)).toMatchObject({ status: "completed" });
  });
});
