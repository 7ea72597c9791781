/**
 * Batches that a test moves step by step with the worker's own code and its own clock, without queue, timers or
 * upstream.
 */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll } from "@jest/globals";
import { type BatchView, claimSlices, type Db, type WaitingSlice } from "@nightshift/db";
import { answeredLine, NO_TIERS } from "@nightshift/domain";
import type { JobQueues } from "@nightshift/queue";
import { createLogger } from "@nightshift/service";
import { type ObjectStore, openFolderStore } from "@nightshift/storage";
import { createWebhookSender } from "@nightshift/webhooks";
import { makeTemporaryFolder, useDatabase } from "@nightshift/testing";
import { newBatch, newInputFile, newTenant, newUpstream, newWorker, viewOf } from "@nightshift/testing/batches";
import { createValidationThreads } from "../src/steps/validate/validation-threads.ts";
import type { WorkerDeps } from "../src/deps.ts";
import { type AdvanceDeps, advanceBatch } from "../src/steps/advance.ts";
import { runMaintenance } from "../src/maintenance/run-maintenance.ts";
import { feed, type FeedDeps } from "../src/steps/feed/feeder.ts";
import { createLineIndexes } from "../src/steps/feed/line-indexes.ts";
import { type LineTask, tasksOf } from "../src/steps/send/line-task.ts";
import { createRecorder, type Recorder } from "../src/steps/record/recorder.ts";
import { inputLine } from "./line-fixture.ts";

export const WINDOW_SECONDS = 86_400;
export const FILE_LIFE_SECONDS = 30 * 86_400;
/** The number of lines of each batch. Four lines are fed at a time: twice the upstream's concurrency. */
export const TOTAL = 8;
export const HANDED_OUT = 4;

export interface ClockedBatch {
  readonly batchNo: number;
  readonly tenant: string;
  readonly upstream: string;
  readonly worker: string;
  readonly fileId: string;
  readonly blob: string;
  readonly view: () => Promise<BatchView>;
  /** Runs the batch's job once. Jobs that it schedules are not run. */
  readonly advance: () => Promise<void>;
  /** Feeds the next lines, if the window has room. */
  readonly feedMore: () => Promise<unknown>;
  /** Claims `count` of the fed lines. */
  readonly claim: (count: number) => Promise<LineTask[]>;
  /** Records an answer for each line. */
  readonly answer: (tasks: readonly LineTask[]) => Promise<void>;
  /** Returns the lines of a result file, or no lines if there is no file. */
  readonly lines: (fileId: string | null) => Promise<{ custom_id: string; error: { code: string } | null }[]>;
}

export interface ClockedBatches {
  readonly db: () => Db;
  readonly objects: () => ObjectStore;
  readonly now: () => Date;
  /** Moves the clock forward. Otherwise it stands still. */
  readonly pass: (seconds: number) => void;
  /** Creates a batch in `validating`, with its own tenant and upstream. Its input file expires after `fileSeconds`. */
  readonly create: (options?: { fileSeconds?: number; outputSeconds?: number }) => Promise<ClockedBatch>;
  /** Returns the log lines of the worker's parts. */
  readonly logged: Record<string, unknown>[];
  /** Runs maintenance as if every blob were old enough to be deleted. */
  readonly maintenance: () => Promise<void>;
}

/** Gives the calling test file a database, a folder of objects, and a clock that starts at the present. */
export function useClockedBatches(): ClockedBatches {
  const database = useDatabase();
  const db = (): Db => database.db();
  const logged: Record<string, unknown>[] = [];
  const write = (line: string): void => void logged.push(JSON.parse(line) as Record<string, unknown>);
  let folder: string;
  let objects: ObjectStore;
  let nowMs = Date.now();
  const now = (): Date => new Date(nowMs);

  beforeAll(async () => {
    folder = await makeTemporaryFolder("clocked");
    objects = openFolderStore({ root: folder });
    await objects.ready();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const workerDeps = (upstream: string): WorkerDeps => ({
    db: db(),
    objects,
    // No job is enqueued here: the test runs each step.
    queues: {} as JobQueues,
    routes: { upstreams: [], resolve: (model) => ({ upstream, model }) },
    logger: createLogger({ name: "test", level: "info", destination: { write } }),
    clock: now,
    tiers: NO_TIERS,
    // No tenant has a webhook endpoint.
    webhooks: createWebhookSender({ allowPrivate: false }),
    batchFileLifeSeconds: FILE_LIFE_SECONDS,
  });

  return {
    db,
    objects: () => objects,
    now,
    logged,
    pass: (seconds) => {
      nowMs += seconds * 1_000;
    },
    create: async ({ fileSeconds = FILE_LIFE_SECONDS, outputSeconds } = {}) => {
      const tenant = await newTenant(db());
      const upstream = await newUpstream(db(), HANDED_OUT / 2, 1);
      const worker = await newWorker(db(), { pid: process.pid });
      const text = Array.from({ length: TOTAL }, (_, i) => inputLine(`id-${String(i)}`)).join("\n");
      const key = `files/${randomUUID()}`;
      const blob = { key, ...(await objects.put(key, Buffer.from(text))) };
      const expiresAt = new Date(nowMs + fileSeconds * 1_000);
      const fileId = await newInputFile(db(), { tenant, blob, createdAt: now(), expiresAt });
      const { batchNo } = await newBatch(db(), {
        id: `batch_${tenant}`,
        tenant,
        inputFileId: fileId,
        outputExpiresAfterSeconds: outputSeconds ?? null,
        createdAt: now(),
        deadline: new Date(nowMs + WINDOW_SECONDS * 1_000),
        requestId: `req_${tenant}`,
      });
      return clockedBatch(workerDeps(upstream), { batchNo, tenant, upstream, worker, fileId, blob: key });
    },
    maintenance: async () => {
      await db().query("update blobs set created_at = now() - interval '2 days'");
      await runMaintenance(workerDeps("none"));
    },
  };
}

function clockedBatch(
  deps: WorkerDeps,
  names: Pick<ClockedBatch, "batchNo" | "tenant" | "upstream" | "worker" | "fileId" | "blob">,
): ClockedBatch {
  const { db, objects, clock, logger } = deps;
  const waiting: WaitingSlice[] = [];
  const feedDeps: FeedDeps = {
    db,
    clock,
    indexes: createLineIndexes(objects),
    scheduler: { enqueueSlices: () => Promise.resolve() },
    directSteps: { run: (slices) => void waiting.push(...slices) },
  };
  const advanceDeps: AdvanceDeps = {
    ...deps,
    ...feedDeps,
    threads: createValidationThreads(),
    scheduler: { ...feedDeps.scheduler, advanceSoon: () => undefined, deliverSoon: () => undefined },
  };
  const recorder: Recorder = createRecorder({
    db,
    objects,
    logger,
    clock,
    inHand: { has: () => false },
    events: { recorded: () => undefined },
  });
  return {
    ...names,
    view: () => viewOf(db, names.batchNo),
    advance: () => advanceBatch(advanceDeps, names.batchNo),
    feedMore: () => feed(feedDeps, names.upstream),
    claim: async (count) => {
      const claimed = await claimSlices(db, names.worker, waiting.splice(0, count), clock());
      const input = await objects.read(names.blob);
      return claimed.flatMap((slice) =>
        tasksOf(slice, input.subarray(slice.byteOffset, slice.byteOffset + slice.byteLength)),
      );
    },
    answer: async (tasks) => {
      await Promise.all(tasks.map((task) => recorder.finish({ task, outcome: answered(task) })));
    },
    lines: async (fileId) => {
      if (fileId === null) return [];
      const { rows } = await db.query<{ blob: string }>("select blob from files where id = $1", [fileId]);
      const text = (await objects.read(rows[0]?.blob ?? "")).toString("utf8");
      return text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { custom_id: string; error: { code: string } | null });
    },
  };
}

function answered({ request, line }: LineTask): Parameters<Recorder["finish"]>[0]["outcome"] {
  const reply = { status: 200, requestId: `req-${String(line)}`, body: Buffer.from("{}") };
  const text = answeredLine(`batch_req_${String(line)}`, request.customId, reply);
  return { kind: "done", resultKind: "output", line: text, usage: null, exhaustedBy: null };
}
