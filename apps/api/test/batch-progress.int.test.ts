/** GET /v1/batches/{id}/events and /results over HTTP. The test records the results, without a worker. */
import { randomUUID } from "node:crypto";
import { get, type IncomingMessage } from "node:http";
import { describe, expect, test } from "@jest/globals";
import {
  declareUpstream,
  ensureLinePartition,
  findBatch,
  insertBlob,
  moveBatch,
  openRetries,
  recordFlush,
  registerWorker,
  removeWorkers,
} from "@nightshift/db";
import { RESULT_PAGE } from "@nightshift/domain";
import { until } from "@nightshift/testing";
import { errorOf, jsonOf, useApi } from "./api-under-test.ts";

let isDraining = false;
const api = useApi(() => ({ isDraining: () => isDraining }));

interface Running {
  readonly id: string;
  readonly batchNo: number;
  readonly day: number;
}

/** Creates a batch in progress, without a worker. */
async function running(total: number): Promise<Running> {
  const body = JSON.stringify({ input_file_id: "file-1", endpoint: "/v1/embeddings", completion_window: "24h" });
  const { id } = await jsonOf(await api.fetch("/v1/batches", { method: "POST", body }));
  const batch = await findBatch(api.db(), "one", String(id));
  if (batch === null) throw new Error("the batch is gone");
  await ensureLinePartition(api.db(), batch.day);
  const blobs = { inputBlob: `inputs/${batch.id}`, indexBlob: `indexes/${batch.id}` };
  for (const key of Object.values(blobs)) await insertBlob(api.db(), { key, bytes: 1, etag: "e" });
  await declareUpstream(api.db(), { name: "up", concurrency: 1, requestsPerMinute: null, sliceLines: null });
  await moveBatch(
    api.db(),
    batch.batchNo,
    { to: "in_progress", upstream: "up", model: null, ...blobs, total, firstByte: 0 },
    api.now(),
  );
  return batch;
}

const lineOf = (line: number, padding = 0): string =>
  `{"id": "r${String(line)}",  "custom_id": "é${String(line)}", "n": 1.00000000000000000001e2, "p": "${"x".repeat(padding)}"}`;

/**
 * Records lines in one commit. Every third line fails. The segment has output lines before error lines, as from a
 * worker.
 */
async function record(batch: Running, lines: readonly number[], padding = 0, requestGen = 0): Promise<void> {
  const kindOf = (line: number): "output" | "error" => (line % 3 === 2 ? "error" : "output");
  const ordered = [...lines.filter((line) => kindOf(line) === "output"), ...lines.filter((l) => kindOf(l) === "error")];
  const segment = `segments/${randomUUID()}`;
  let offset = 0;
  const pieces: Buffer[] = [];
  const results = ordered.map((line) => {
    const bytes = Buffer.from(`${lineOf(line, padding)}\n`);
    pieces.push(bytes);
    const result = { batchNo: batch.batchNo, line, sliceNo: 0, requestGen, resultKind: kindOf(line), segment, offset };
    offset += bytes.length;
    return { ...result, length: bytes.length, isExhausted: false, usage: null };
  });
  await api.objects().put(segment, Buffer.concat(pieces));
  await recordFlush(api.db(), { segments: [{ key: segment, bytes: offset }], results, returns: [] }, api.now());
}

async function finish({ batchNo }: Running): Promise<void> {
  const noFiles = { outputFileId: null, errorFileId: null };
  await moveBatch(api.db(), batchNo, { to: "finalizing" }, api.now());
  await moveBatch(api.db(), batchNo, { to: "completed", ...noFiles }, api.now());
}

const results = (id: string, query = ""): Promise<Response> => api.fetch(`/v1/batches/${id}/results${query}`);

async function page(id: string, query = "") {
  const reply = await results(id, query);
  const text = await reply.text();
  if (reply.status !== 200) throw new Error(text);
  const { data, ...rest } = JSON.parse(text) as { data: { id: string }[]; has_more: boolean; next_cursor: string };
  return { ...rest, text, ids: data.map((one) => Number(one.id.slice(1))) };
}

describe("results", () => {
  test("have the recorded bytes in the order of commits, regardless of the page size", async () => {
    const batch = await running(30);
    await record(batch, [4, 5, 6, 7, 8]);
    await record(batch, [0]);
    await record(batch, [1, 2, 3, ...Array.from({ length: 20 }, (_, i) => 10 + i)]);
    const all = await page(batch.id);

    expect([...all.ids].sort((a, b) => a - b)).toEqual([
      ...Array.from({ length: 9 }, (_, i) => i),
      ...Array.from({ length: 20 }, (_, i) => 10 + i),
    ]);
    expect(all.ids.slice(0, 6)).toEqual([4, 6, 7, 5, 8, 0]);
    expect(all.ids).toHaveLength(29);
    expect(all.text.split("\n").slice(1, -2)).toEqual(
      all.ids.map((line, at) => lineOf(line) + (at === all.ids.length - 1 ? "" : ",")),
    );
    expect(all.has_more).toBe(true);
    for (let limit = 1; limit <= 30; limit += 1) {
      const ids: number[] = [];
      let after = "";
      for (;;) {
        const one = await page(batch.id, `?limit=${String(limit)}${after && `&after=${after}`}`);
        if (one.ids.length === 0) break;
        expect(one.ids.length).toBeLessThanOrEqual(limit);
        ids.push(...one.ids);
        after = one.next_cursor;
      }
      expect(ids).toEqual(all.ids);
    }
  });

  test("end with has_more false when the batch is sealed, and continue from an older cursor", async () => {
    const batch = await running(4);
    const empty = await page(batch.id);
    await record(batch, [0, 1]);
    const first = await page(batch.id, `?after=${empty.next_cursor}`);
    await record(batch, [2, 3]);
    const middle = await page(batch.id, `?after=${first.next_cursor}&limit=1`);
    const last = await page(batch.id, `?after=${middle.next_cursor}`);

    expect([empty.ids, first.ids, middle.ids, last.ids]).toEqual([[], [0, 1], [3], [2]]);
    expect([empty, first, middle, last].map((one) => one.has_more)).toEqual([true, true, true, false]);
    expect(await page(batch.id, `?after=${last.next_cursor}`)).toMatchObject({ ids: [], has_more: false });
  });

  test("come in smaller pages if their lines are large", async () => {
    const batch = await running(10);
    const padding = Math.floor(RESULT_PAGE.maxBytes / 3);
    await record(batch, [0, 1, 3, 4, 6, 7], padding);
    const [first, single] = [await page(batch.id), await page(batch.id, "?limit=1")];

    expect(first).toMatchObject({ ids: [0, 1], has_more: true });
    expect((await page(batch.id, `?after=${first.next_cursor}`)).ids).toEqual([3, 4]);
    expect(single.ids).toEqual([0]);
  });

  test("reach several waiting clients at once", async () => {
    const batch = await running(10);
    const waiting = Array.from({ length: 5 }, () => page(batch.id, "?wait=30"));
    await page(batch.id, "?wait=0");
    await record(batch, [0]);

    expect((await Promise.all(waiting)).map((one) => one.ids)).toEqual(Array.from({ length: 5 }, () => [0]));
    const { next_cursor: after } = await page(batch.id);
    const atEnd = page(batch.id, `?wait=30&after=${after}`);
    await record(batch, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await atEnd).toMatchObject({ ids: [1, 3, 4, 6, 7, 9, 2, 5, 8], has_more: false });
  });

  test("contain a retried line again, after the cursor of a client that has seen the line fail", async () => {
    const batch = await running(4);
    await record(batch, [2, 1]);
    const first = await page(batch.id, "?limit=2");
    const opened = await openRetries(
      api.db(),
      { batchNo: batch.batchNo, lines: [{ line: 2, byteOffset: 0, byteLength: 1 }], askedBy: "a test" },
      api.now(),
    );
    const between = page(batch.id, `?after=${first.next_cursor}&wait=30`);
    await page(batch.id, "?limit=1");
    // A late result of the earlier attempt is dropped.
    await record(batch, [2]);
    await record(batch, [2], 0, 1);
    const waited = await between;
    await record(batch, [0, 3]);
    const last = await page(batch.id, `?after=${waited.next_cursor}`);

    expect(opened).toMatchObject({ outcome: "opened", lines: [2] });
    expect(first).toMatchObject({ ids: [1, 2], has_more: true });
    expect(waited).toMatchObject({ ids: [2], has_more: true });
    expect(last).toMatchObject({ ids: [0, 3], has_more: false });
    expect((await page(batch.id)).ids).toEqual([1, 2, 2, 0, 3]);
  });

  test("are available for one day after the end of the batch", async () => {
    const batch = await running(1);
    await record(batch, [0]);
    await finish(batch);
    api.advanceClock(86_399);
    expect((await page(batch.id)).ids).toEqual([0]);
    api.advanceClock(1);

    const error = await errorOf(await results(batch.id), 404);
    expect(error).toMatchObject({ code: "results_expired" });
    expect(error["message"]).toContain("output and error files");
  });

  test.each([
    ["?limit=0", "limit"],
    ["?limit=1001", "limit"],
    ["?limit=many", "limit"],
    ["?wait=31", "wait"],
    ["?wait=-1", "wait"],
    ["?after=file-1", "after"],
  ])("refuse %s", async (query, param) => {
    const batch = await running(1);

    expect(await errorOf(await results(batch.id, query), 400)).toMatchObject({ param });
  });
});

/** Reads a stream of events while it is open. */
function listenTo(
  id: string,
  headers: Record<string, string> = {},
): Promise<{ reply: IncomingMessage; text: () => string }> {
  return new Promise((resolve, reject) => {
    const all = { authorization: api.authorization("one"), ...headers };
    get(`${api.url()}/v1/batches/${id}/events`, { headers: all }, (reply) => {
      let text = "";
      reply.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      reply.on("error", () => undefined);
      resolve({ reply, text: () => text });
    }).on("error", reject);
  });
}

const eventsOf = (text: string): string[] => [...text.matchAll(/^event: (.*)$/gm)].map((match) => match[1] ?? "");

describe("events", () => {
  test("come at once and after a change, and end with done", async () => {
    const batch = await running(2);
    const { reply, text } = await listenTo(batch.id);
    await until(() => Promise.resolve(eventsOf(text()).length === 1), { message: "the first event is there" });
    expect(reply.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(text()).toContain(`"status":"in_progress","request_counts":{"total":2,"completed":0,"failed":0}`);
    expect(text()).toContain(`"waiting":"no worker is running"`);

    await record(batch, [0, 1]);
    await finish(batch);
    await until(() => Promise.resolve(reply.complete), { message: "the stream has ended" });
    expect(eventsOf(text()).at(-1)).toBe("done");
    expect(text()).toContain("id: completed-2-0\nevent: done");
    const again = await listenTo(batch.id, { "last-event-id": "completed-2-0" });
    expect(again.reply.statusCode).toBe(204);
    const late = await listenTo(batch.id);
    await until(() => Promise.resolve(late.reply.complete), { message: "a late stream has ended" });
    expect(eventsOf(late.text())).toEqual(["done"]);
  });

  test("end when the process stops, like a request that waits for results", async () => {
    const batch = await running(2);
    const { reply, text } = await listenTo(batch.id);
    await until(() => Promise.resolve(eventsOf(text()).length === 1), { message: "the first event is there" });
    const waiting = page(batch.id, "?wait=30");
    isDraining = true;
    try {
      await until(() => Promise.resolve(reply.complete), { message: "the stream has ended" });
      expect(eventsOf(text())).toEqual(["progress"]);
      expect(await waiting).toMatchObject({ ids: [], has_more: true });
    } finally {
      isDraining = false;
    }
  });

  test("say that a batch with only parked lines waits for its upstream", async () => {
    // Retries of more than 64 lines are parked: their due time is `infinity` until the upstream has room for them.
    const retried = Array.from({ length: 65 }, (_, i) => 3 * i + 2);
    const batch = await running(200);
    await record(batch, retried);
    const lines = retried.map((line) => ({ line, byteOffset: 0, byteLength: 1 }));
    await openRetries(api.db(), { batchNo: batch.batchNo, lines, askedBy: "a test" }, api.now());
    // Without a worker, the batch waits for a worker.
    const worker = randomUUID();
    await registerWorker(api.db(), { id: worker, host: "here", pid: 1 });
    const { reply, text } = await listenTo(batch.id);
    try {
      await until(() => Promise.resolve(eventsOf(text()).length > 0), { message: "the first event is there" });

      expect(text()).toContain(`"waiting":"waiting for a share of the upstream's capacity"`);
    } finally {
      reply.destroy();
      await removeWorkers(api.db(), [worker]);
    }
  });

  test("continue for other clients when one client disconnects", async () => {
    const batch = await running(2);
    const [gone, stays] = [await listenTo(batch.id), await listenTo(batch.id)];
    gone.reply.destroy();
    await record(batch, [0]);
    await until(() => Promise.resolve(stays.text().includes(`"completed":1`)), { message: "the change arrives" });
    stays.reply.destroy();
  });
});

test.each(["events", "results"])(
  "%s returns the same 404 for another tenant's batch and for an unknown batch",
  async (what) => {
    const { id } = await running(1);
    const other = await errorOf(await api.fetch(`/v1/batches/${id}/${what}`, { tenant: "two" }), 404);
    const none = await errorOf(await api.fetch(`/v1/batches/batch_none/${what}`, { tenant: "two" }), 404);

    expect({ ...other, message: String(other["message"]).replace(id, "batch_none") }).toEqual(none);
    await errorOf(await api.fetch(`/v1/batches/${id}/${what}`, { method: "POST" }), 405);
  },
);
