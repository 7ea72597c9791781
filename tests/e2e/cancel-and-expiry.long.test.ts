/** Batches that end before all of their lines are done: cancelled, or expired with their completion window. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, type Simulator, type Stack, until } from "@nightshift/testing";
import { type Batch, type BatchClient, chatLine, createBatchClient } from "./batch-client.ts";
import { endWindow } from "./ledger.ts";
import { useStack } from "./use-stack.ts";

const CONCURRENCY = 10;
/** The number of lines that are answered at once. All lines that are sent later are slow. */
const QUICK = 3;
const SENT = QUICK + CONCURRENCY;
const TOTAL = 28;
const CUSTOM_IDS = Array.from({ length: TOTAL }, (_, index) => `line-${String(index)}`);
const INPUT = CUSTOM_IDS.map((id) => chatLine(id, "Why?")).join("\n");
const CANCELLED_WITHIN_MS = 10_000;
const FILE_DAYS = 7;

interface FileTimes {
  readonly created_at: number;
  readonly expires_at: number;
}

const cancel = (client: BatchClient, id: string): Promise<Response> =>
  client.request(`/v1/batches/${id}/cancel`, { method: "POST" });

/**
 * Starts a batch whose slow lines take `slowMs`. Resolves when the quick lines are done and slow lines fill all slots.
 */
async function startBatch(simulator: Simulator, client: BatchClient, slowMs: number): Promise<string> {
  await until(async () => (await simulator.stats()).inFlight === 0, {
    message: "all slots are free",
    timeoutMs: 15_000,
  });
  await simulator.forget();
  await simulator.configure({
    faults: [
      { hangMs: 0, times: QUICK },
      { hangMs: slowMs, times: TOTAL },
    ],
  });
  const { id } = await client.create(await client.upload(INPUT));
  await until(
    async () =>
      (await simulator.stats()).inFlight === CONCURRENCY &&
      (await client.retrieve(id)).request_counts.completed === QUICK,
    { message: "the quick lines are done and all slots are taken" },
  );
  return id;
}

/** Expects that every line is in one of the files, and that the counts match the files. */
async function expectWholeFiles(client: BatchClient, batch: Batch, completed: number, code: string): Promise<void> {
  const output = await client.lines(batch.output_file_id);
  const errors = await client.lines(batch.error_file_id);

  expect(batch.request_counts).toEqual({ total: TOTAL, completed, failed: TOTAL - completed });
  expect(output).toHaveLength(completed);
  expect([...output, ...errors].map((line) => line.custom_id).sort()).toEqual([...CUSTOM_IDS].sort());
  expect(new Set(errors.map((line) => line.error?.code))).toEqual(new Set([code]));
  expect(errors.every((line) => line.response === null)).toBe(true);
}

/** Suspends the workers while `work` runs. */
async function withoutWorkers<T>(stack: Stack, work: () => Promise<T>): Promise<T> {
  const workers = (await stack.processes()).filter(({ role }) => role === "worker");
  for (const { pid } of workers) process.kill(pid, "SIGSTOP");
  try {
    return await work();
  } finally {
    for (const { pid } of workers) process.kill(pid, "SIGCONT");
  }
}

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({
    profile,
    env: {
      UPSTREAM_CONCURRENCY: String(CONCURRENCY),
      NIGHTSHIFT_FILE_EXPIRY_DAYS: String(FILE_DAYS),
      NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS: "1",
    },
  });

  test("a batch that is cancelled before validation has no files and no counts", async () => {
    const client = createBatchClient(stack());
    const fileId = await client.upload(INPUT);

    const { id, reply } = await withoutWorkers(stack(), async () => {
      const created = await client.create(fileId);
      return { id: created.id, reply: await cancel(client, created.id) };
    });
    const batch = await client.finished(id, CANCELLED_WITHIN_MS);

    expect(reply.status).toBe(200);
    expect(await reply.json()).toMatchObject({ status: "cancelling", cancelling_at: expect.any(Number) });
    expect(batch).toMatchObject({
      status: "cancelled",
      in_progress_at: null,
      output_file_id: null,
      error_file_id: null,
      cancelled_at: expect.any(Number),
      request_counts: { total: 0, completed: 0, failed: 0 },
    });
    expect((await simulator().stats()).requests).toBe(0);
  });

  test("a cancelled batch waits for lines in flight and sends no others", async () => {
    const client = createBatchClient(stack());
    const id = await startBatch(simulator(), client, 4_000);

    await cancel(client, id);
    const batch = await client.finished(id, CANCELLED_WITHIN_MS);

    expect(batch.status).toBe("cancelled");
    await expectWholeFiles(client, batch, SENT, "batch_cancelled");
    expect((await simulator().stats()).requests).toBe(SENT);
  });

  test("a cancelled batch waits a few seconds at most, and a second cancel changes nothing", async () => {
    const client = createBatchClient(stack());
    const id = await startBatch(simulator(), client, 60_000);

    const first = (await (await cancel(client, id)).json()) as Batch;
    const again = await cancel(client, id);
    const batch = await client.finished(id, CANCELLED_WITHIN_MS);
    const afterwards = await cancel(client, id);

    expect(first.status).toBe("cancelling");
    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ status: "cancelling", cancelling_at: first.cancelling_at });
    expect(afterwards.status).toBe(200);
    expect(await afterwards.json()).toEqual(batch);
    expect(batch).toMatchObject({ status: "cancelled", cancelling_at: first.cancelling_at });
    await expectWholeFiles(client, batch, QUICK, "batch_cancelled");
    // The lines in flight are aborted, which frees their slots for other batches. No further line is sent.
    await until(async () => (await simulator().stats()).inFlight === 0, { message: "the slots are free" });
    expect((await simulator().stats()).requests).toBe(SENT);
  });

  test("input and result files expire after the configured number of days", async () => {
    await simulator().configure({ faults: [] });
    const client = createBatchClient(stack());
    const batch = await client.run(chatLine("a", "Why?"));

    for (const id of [batch.input_file_id, batch.output_file_id]) {
      const file = (await (await client.request(`/v1/files/${id ?? ""}`)).json()) as FileTimes;
      expect(file.expires_at - file.created_at).toBe(FILE_DAYS * 86_400);
    }
  });

  test("a batch keeps its finished lines when its completion window ends", async () => {
    const client = createBatchClient(stack());
    const id = await startBatch(simulator(), client, 60_000);

    await endWindow(stack(), id);
    const batch = await client.finished(id, CANCELLED_WITHIN_MS);

    expect(batch).toMatchObject({ status: "expired", expired_at: expect.any(Number), cancelling_at: null });
    await expectWholeFiles(client, batch, QUICK, "batch_expired");
    expect((await cancel(client, id)).status).toBe(409);
    await until(async () => (await simulator().stats()).inFlight === 0, { message: "the slots are free" });
    expect((await simulator().stats()).requests).toBe(SENT);
  });
});
