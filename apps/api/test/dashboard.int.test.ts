/** The dashboard: access, its queues, and retries of failed lines. Uses a real queue on Postgres. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { insertBatch, ensureLinePartition, findBatch, insertBlob } from "@nightshift/db";
import { createLineIndex } from "@nightshift/domain";
import { type JobQueues, openQueues, prepareQueueBackend } from "@nightshift/queue";
import { createLogger } from "@nightshift/service";
import { createDatabase, until } from "@nightshift/testing";
import { batchFields } from "@nightshift/testing/batches";
import { errorOf, jsonOf, useApi } from "./api-under-test.ts";

const ADMIN_KEY = "pässword: with colons";

let queues: JobQueues;

beforeAll(async () => {
  const backend = { kind: "postgres", url: await createDatabase({ migrated: false }) } as const;
  await prepareQueueBackend(backend);
  queues = await openQueues({
    backend,
    upstreams: ["default", "gateway"],
    logger: createLogger({ name: "test", level: "silent" }),
  });
  // Like the real worker, it moves each job to the failed set.
  queues.work("line.failed", () => Promise.resolve(), { concurrency: 4 });
});
afterAll(() => queues.close(1000));

const api = useApi(() => ({ queues, adminKey: ADMIN_KEY }));

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!headers.has("authorization")) headers.set("authorization", basic("admin", ADMIN_KEY));
  return api.fetch(`/admin/queues${path}`, { ...init, headers, tenant: null });
}

describe("access", () => {
  test("shows every queue to the admin", async () => {
    const page = await ask("/");
    const { queues: shown } = await jsonOf(await ask("/api/queues"));

    expect(page.headers.get("content-type")).toContain("text/html");
    expect((shown as { name: string }[]).map(({ name }) => name)).toEqual([
      "batches",
      "feeds",
      "slices-default",
      "slices-gateway",
      "failed-lines",
      "webhooks",
      "maintenance",
    ]);
  });

  test("serves the scripts of the page", async () => {
    const page = await (await ask("/")).text();
    const script = /<script[^>]* src="([^"]+)"/.exec(page)?.[1] ?? "";

    expect((await ask(`/${script}`)).headers.get("content-type")).toContain("javascript");
  });

  test.each([
    ["no credentials", ""],
    ["a wrong password", basic("admin", "guess")],
    ["another user", basic("root", ADMIN_KEY)],
    ["an API key", "Bearer sk-test"],
    ["invalid base64", "Basic ~"],
  ])("is refused with %s", async (_who, authorization) => {
    for (const path of ["/", "/api/queues", "/static/images/logo.svg"]) {
      const reply = await ask(path, { headers: { authorization } });

      expect(reply.headers.get("www-authenticate")).toBe('Basic realm="Nightshift", charset="UTF-8"');
      expect(await errorOf(reply, 401)).toMatchObject({ code: "admin_only" });
    }
  });

  test.each([
    ["another site", { "sec-fetch-site": "cross-site" }],
    ["another subdomain", { "sec-fetch-site": "same-site" }],
    ["another site in an older browser", { origin: "https://evil.example" }],
    ["a sandboxed page", { origin: "null" }],
  ])("refuses a change from %s", async (_who, headers) => {
    const reply = await ask("/api/queues/pause", { method: "PUT", headers });

    expect(await errorOf(reply, 403)).toMatchObject({ code: "cross_site" });
    expect(await queues.boards()[0]?.isPaused()).toBe(false);
  });

  test.each([
    ["its own page", () => ({ "sec-fetch-site": "same-origin" })],
    ["its own page in an older browser", () => ({ origin: api.url() })],
    ["a program", () => ({})],
  ])("accepts a change from %s", async (_who, headers) => {
    const reply = await ask("/api/queues/batches/pause", {
      method: "PUT",
      headers: headers() as Record<string, string>,
    });

    expect(reply.status).toBe(200);
    expect(await queues.boards()[0]?.isPaused()).toBe(true);
    await queues.boards()[0]?.resume();
  });
});

describe("retrying a failed line", () => {
  const LINES = 3;
  let batch: { batchNo: number; id: string; day: number };

  /** Creates a running batch of 3 lines that used up their attempts, with their jobs in the failed set. */
  beforeEach(async () => {
    const now = api.now();
    const created = await insertBatch(
      api.db(),
      batchFields({ tenant: "one", endpoint: "/v1/embeddings", createdAt: now }),
    );
    batch = created;
    const index = createLineIndex();
    for (let i = 0; i < LINES; i += 1) index.add({ offset: i * 100, length: 90 + i });
    const indexBlob = `indexes/${batch.id}`;
    const stored = await api.objects().put(indexBlob, index.toBuffer());
    await insertBlob(api.db(), { key: indexBlob, ...stored });
    await api.db().query(
      `update batches set status = 'in_progress', in_progress_at = created_at, total = $2, fed_lines = $2,
        upstream = 'default', index_blob = $3 where batch_no = $1`,
      [batch.batchNo, LINES, indexBlob],
    );
    await api.db().query("update batch_progress set failed = $2 where batch_no = $1", [batch.batchNo, LINES]);
    await ensureLinePartition(api.db(), batch.day);
    for (let line = 0; line < LINES; line += 1) await failLine(line);
  });

  async function failLine(line: number): Promise<void> {
    await api.db().query(
      `insert into lines (day, batch_no, line, segment, segment_offset, length, failed, exhausted, request_gen, seq)
      values ($1, $2, $3, 1, 0, 1, true, true, 0, 1)`,
      [batch.day, batch.batchNo, line],
    );
    const payload = { batch_no: batch.batchNo, batch_id: batch.id, line, request_gen: 0, reason: "status 500" };
    await queues.enqueue("line.failed", { v: 1, ...payload });
    await until(() => isInFailedSet(line), { message: "the line's job did not end in the failed set" });
  }

  /** Completes the batch, whose input file does not exist. */
  async function finishBatch(): Promise<void> {
    await api.db().query("update batches set status = 'completed' where batch_no = $1", [batch.batchNo]);
    await api
      .db()
      .query("update batch_progress set sealed_at = now(), sealed_as = 'done' where batch_no = $1", [batch.batchNo]);
  }

  const jobId = (line: number): string => `f${String(batch.batchNo)}-${String(line)}-0`;
  const isInFailedSet = async (line: number): Promise<boolean> => {
    const reply = await ask(`/api/queues/failed-lines/${jobId(line)}`);
    return reply.status === 200 && (await jsonOf(reply))["status"] === "failed";
  };
  const retry = (line: number) => ask(`/api/queues/failed-lines/${jobId(line)}/retry`, { method: "PUT" });
  const retryAll = () => ask("/api/queues/failed-lines/retry/failed", { method: "PUT" });

  async function slices(): Promise<unknown[]> {
    const { rows } = await api.db().query<Record<string, unknown>>(
      `select first_line, line_count, byte_offset, byte_length, todo::text, request_gen
      from slices where batch_no = $1 order by first_line`,
      [batch.batchNo],
    );
    return rows;
  }

  test("opens a retry, creates a slice and its job, and removes the failed job", async () => {
    const reply = await retry(1);

    expect(reply.status).toBe(204);
    expect(await slices()).toEqual([
      { first_line: 1, line_count: 1, byte_offset: 100, byte_length: 91, todo: "1", request_gen: 1 },
    ]);
    const { rows: retries } = await api
      .db()
      .query("select line, request_gen, asked_by from retries where batch_no = $1", [batch.batchNo]);
    expect(retries).toEqual([{ line: 1, request_gen: 1, asked_by: "admin" }]);
    expect(await findBatch(api.db(), "one", batch.id)).toMatchObject({ failed: LINES - 1 });
    const sliceJobs = await queues.boards()[2]?.getJobs();
    expect(sliceJobs?.map((job) => job.name)).toContain("slice.run");
    expect([await isInFailedSet(0), await isInFailedSet(1)]).toEqual([true, false]);
  });

  test("only removes the job if the line is already being retried, as after a crash", async () => {
    await retry(1);
    const payload = { batch_no: batch.batchNo, batch_id: batch.id, line: 1, request_gen: 0, reason: "status 500" };
    await queues.enqueue("line.failed", { v: 1, ...payload });
    await until(() => isInFailedSet(1), { message: "the job did not come back" });

    expect((await retry(1)).status).toBe(204);

    expect(await slices()).toHaveLength(1);
    expect(await isInFailedSet(1)).toBe(false);
  });

  test("is refused with a reason if the input file of the finished batch is gone, and the job stays", async () => {
    await finishBatch();

    const reply = await retry(0);

    expect(reply.status).toBe(409);
    expect(await jsonOf(reply)).toEqual({
      error: "Not retried",
      message: `Request 1 of ${batch.id} cannot be retried: The failed requests cannot be retried: the batch's input file was deleted or has expired. Create a new batch with them.`,
    });
    expect(await slices()).toEqual([]);
    expect(await isInFailedSet(0)).toBe(true);
  });

  test("returns the reason if every line was refused", async () => {
    const over = batch;
    await finishBatch();
    await queues.boards()[4]?.clean(0, 1000, "failed");
    await queues.enqueue("line.failed", {
      v: 1,
      batch_no: over.batchNo,
      batch_id: over.id,
      line: 0,
      request_gen: 0,
      reason: "x",
    });
    await until(() => isInFailedSet(0), { message: "the job of the batch that is over did not fail" });

    const refused = await retryAll();

    expect(refused.status).toBe(409);
    expect(await jsonOf(refused)).toEqual({
      error: "Not retried",
      message: expect.stringContaining("input file was deleted"),
    });
  });

  test("retries all lines that it can, and counts the retried and the skipped ones", async () => {
    await queues.boards()[4]?.clean(0, 1000, "failed");
    const payload = { batch_no: batch.batchNo, batch_id: batch.id, request_gen: 0, reason: "status 500" };
    for (const line of [0, 1, 2, 77]) await queues.enqueue("line.failed", { v: 1, ...payload, line });
    await until(() => isInFailedSet(77), { message: "the last job did not fail" });

    const reply = await retryAll();

    expect(reply.status).toBe(200);
    expect(await jsonOf(reply)).toEqual({ retried: 3, skipped: 1 });
    expect(await slices()).toHaveLength(3);
    expect(await isInFailedSet(77)).toBe(true);
  });
});
