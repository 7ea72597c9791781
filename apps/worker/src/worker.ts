/** Puts the worker's parts together, starts them on the queues and their timers, and stops them in order. */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  declareUpstream,
  ensureLinePartition,
  type SliceRef,
  stoppedBatches,
  type WaitingSlice,
  waitingSlices,
} from "@nightshift/db";
import { DAY_MS } from "@nightshift/domain";
import type { JobWorker } from "@nightshift/queue";
import type { Registry } from "@nightshift/service";
import { withRecentObjects } from "@nightshift/storage";
import { createValidationThreads } from "./batch/validation-threads.ts";
import type { WorkerDeps } from "./deps.ts";
import { createDirectSteps } from "./direct-steps.ts";
import { advanceBatch } from "./jobs/advance-batch.ts";
import { parkFailedLine } from "./jobs/park-failed-line.ts";
import { runMaintenance } from "./jobs/maintenance.ts";
import { createSliceQueue } from "./ledger/enqueue-slices.ts";
import { feed } from "./ledger/feeder.ts";
import { createLineIndexes } from "./ledger/line-indexes.ts";
import { createLostClaims } from "./ledger/lost-claims.ts";
import { createReaper } from "./ledger/reaper.ts";
import { reconcile, MAINTENANCE_MS } from "./ledger/reconciler.ts";
import { createWorkerIdentity, processHost } from "./ledger/worker-identity.ts";
import { createByteBudget } from "./lines/byte-budget.ts";
import { createInputBlocks } from "./lines/input-blocks.ts";
import { openLanes } from "./lines/lanes.ts";
import { createSliceClaims } from "./lines/slice-claims.ts";
import { runSlice } from "./lines/slice-intake.ts";
import type { UpstreamLane } from "./lines/upstream-lane.ts";
import { createWorkerMetrics } from "./metrics.ts";
import { afterRecord } from "./results/after-record.ts";
import { createRecorder } from "./results/recorder.ts";
import { createTimers, type Timers } from "./timers.ts";
import { createDeliveryQueue } from "./webhooks/delivery-queue.ts";
import { deliverWebhook } from "./webhooks/deliver-webhook.ts";

export interface RunningWorker {
  /** Takes nothing new, lets what is in flight end within `graceMs`, records it, gives the rest back, and signs off. */
  stop(graceMs: number): Promise<void>;
}

/**
 * Replies that are not recorded yet. Three times that in memory, with the copies in result lines and segments: at 64 MB a
 * worker held 530 MB over 50,000 embeddings, at 24 MB 380, and was no slower.
 */
const BUDGET_BYTES = 16 * 1024 * 1024;
/** Inputs and segments of small batches, which are used again at once. */
const RECENT_OBJECTS = { maxBytes: 8 * 1024 * 1024, maxObjectBytes: 256 * 1024 };
const ADVANCE_AT_ONCE = 4;
/** Receivers that let us wait for 10 s, 16 attempts each, leave room for others. */
const DELIVER_AT_ONCE = 64;
const REAP_MS = 1_000;
/** Between two looks, of which both must find a slice idle. */
const LOST_CLAIMS_MS = 5_000;
const RECONCILE_TICK_MS = 500;
const STOPPED_LOOK_MS = 400;
const TUNE_MS = 100;
/** Slices of dead workers that are enqueued at once; the reconciler finds the rest. */
const FREED_AT_ONCE = 5_000;
/** Jobs whose handlers have ended need a moment to be taken off the queue. */
const JOBS_CLOSE_MS = 2_000;
/** What a small batch's assembly may still take when the worker stops. */
const DIRECT_STEPS_CLOSE_MS = 2_000;

/** Resolves once the worker takes jobs. Rejects where Postgres or the queue refuse it. */
export async function startWorker(given: WorkerDeps, registry: Registry): Promise<RunningWorker> {
  const deps = { ...given, objects: withRecentObjects(given.objects, RECENT_OBJECTS) };
  const stopping = new AbortController();
  // Each slice that waits for room listens to it.
  setMaxListeners(0, stopping.signal);
  const parts = await assemble(deps, registry, stopping.signal);
  const { identity, lanes, recorder, slices, timers } = parts;
  await identity.start();
  const jobs = takeJobs(deps, parts);
  watch(deps, parts);
  deps.logger.info({ worker: identity.id(), upstreams: lanes.all.map((lane) => lane.name) }, "worker started");

  return {
    async stop(graceMs) {
      stopping.abort(new Error("the worker stops"));
      timers.stopRepeating();
      await Promise.all(jobs.map((job) => job.stopTaking()));
      const cut = setTimeout(() => {
        for (const lane of lanes.all) lane.breakOff();
      }, graceMs);
      await Promise.all(lanes.all.map((lane) => lane.drain()));
      clearTimeout(cut);
      recorder.flushNow();
      await recorder.idle();
      await Promise.race([parts.directSteps.idle(), sleep(DIRECT_STEPS_CLOSE_MS, undefined, { ref: false })]);
      await Promise.all(jobs.map((job) => job.close(JOBS_CLOSE_MS)));
      timers.close();
      slices.close();
      await parts.threads.close();
      await lanes.close();
      await identity.stop();
    },
  };
}

type Parts = Awaited<ReturnType<typeof assemble>>;

async function assemble(deps: WorkerDeps, registry: Registry, stopping: AbortSignal) {
  const { db, objects, queues, routes, logger, clock } = deps;
  for (const { name, concurrency, requestsPerMinute, sliceLines } of routes.upstreams) {
    await declareUpstream(db, { name, concurrency, requestsPerMinute, sliceLines });
  }
  await ensureLinePartition(db, Math.floor(clock().getTime() / DAY_MS));

  const timers = createTimers(logger);
  const slices = createSliceQueue(queues, logger);
  const threads = createValidationThreads();
  const directSteps = createDirectSteps(logger);
  const identity = createWorkerIdentity(db, logger, () => {
    lanes.loseIdentity();
  });
  const budget = createByteBudget(BUDGET_BYTES, () => {
    lanes.pump();
  });
  const metrics = createWorkerMetrics(registry, {
    linesInFlight: () => new Map(lanes.all.map((lane) => [lane.name, lane.inFlight()])),
    unrecordedBytes: () => budget.held(),
  });
  const advanceNow = (batchNo: number): void => {
    directSteps.go("advance a batch", () => advance({ v: 1, batch_no: batchNo }));
  };
  const recorder = createRecorder({
    db,
    objects,
    logger,
    clock,
    expectsMore: (batchNo) => lanes.all.some((lane) => lane.holds(batchNo)),
    onRecorded: afterRecord({ queues, slices, timers, metrics, advanceNow }),
  });
  const workerId = (): string => identity.id();
  const lanes = openLanes({ db, routes, recorder, budget, metrics, workerId, logger, clock });

  const claims = createSliceClaims({ db, workerId, clock });
  const intake = { claims, inputs: createInputBlocks(objects), logger, recorder };
  const run = (lane: UpstreamLane, slice: SliceRef): Promise<void> => runSlice(intake, lane, slice, stopping);
  const onSmall = (fed: readonly WaitingSlice[]): void => {
    for (const slice of fed) {
      const lane = lanes.all.find(({ name }) => name === slice.upstream);
      if (lane !== undefined) directSteps.go("run a slice", () => run(lane, slice));
    }
  };
  const indexes = createLineIndexes(objects);
  const deliveries = createDeliveryQueue({ db, queues, clock });
  const feedNow = async (upstream: string): Promise<void> => {
    await feed({ db, clock, indexes, slices, onSmall }, upstream);
  };
  const advance = advanceBatch({
    ...deps,
    threads,
    indexes,
    feed: feedNow,
    ended: (batchId) => {
      timers.soon("tell of a batch's end", 0, () => deliveries.enqueueOf(batchId));
    },
    again: (batchNo, delayMs) => {
      timers.soon("look at a batch again", delayMs, () => queues.enqueue("batch.advance", { v: 1, batch_no: batchNo }));
    },
  });
  return {
    advance,
    claims,
    deliveries,
    directSteps,
    feedNow,
    identity,
    lanes,
    metrics,
    recorder,
    run,
    slices,
    threads,
    timers,
  };
}

/** Starts to take jobs of every queue. */
function takeJobs(deps: WorkerDeps, parts: Parts): JobWorker[] {
  const { queues } = deps;
  const { advance, feedNow, identity, lanes, metrics, run, timers } = parts;
  const deliver = deliverWebhook({ ...deps, metrics, workerId: () => identity.id(), random: Math.random });
  const slicesOf = (lane: UpstreamLane): JobWorker => {
    const job = queues.work("slice.run", (payload) => run(lane, { sliceNo: payload.slice_no, gen: payload.gen }), {
      concurrency: lane.room.wantedSlices(),
      upstream: lane.name,
    });
    tune(timers, lane, job);
    return job;
  };
  return [
    queues.work("batch.advance", advance, { concurrency: ADVANCE_AT_ONCE }),
    queues.work("upstream.feed", ({ upstream }) => feedNow(upstream), { concurrency: lanes.all.length }),
    queues.work("line.failed", parkFailedLine(), { concurrency: 1 }),
    queues.work("webhook.deliver", deliver, { concurrency: DELIVER_AT_ONCE }),
    queues.work("maintenance.run", runMaintenance(deps), { concurrency: 1 }),
    ...lanes.all.map(slicesOf),
  ];
}

/** The queue hands a worker as many slices as its lane can use, so that other workers get the rest. */
function tune(timers: Timers, lane: UpstreamLane, job: JobWorker): void {
  let current = lane.room.wantedSlices();
  timers.every(`tune ${lane.name}`, TUNE_MS, () => {
    lane.giveBackIfStarved();
    const wanted = lane.room.wantedSlices();
    if (Math.abs(wanted - current) > Math.max(1, current / 4)) {
      current = wanted;
      job.setConcurrency(wanted);
    }
    return Promise.resolve();
  });
}

/** The timers that keep the ledger and the queue in step, whatever happens to either. */
function watch(deps: WorkerDeps, { claims, deliveries, identity, lanes, slices, timers }: Parts): void {
  const { db, queues, tiers, logger, clock } = deps;
  const upstreams = lanes.all.map((lane) => lane.name);
  const reaper = createReaper({ db, logger, host: processHost(), monotonicMs: () => performance.now() });
  timers.every("reap", REAP_MS, async () => {
    if ((await reaper.look()) > 0) await slices.enqueue(await waitingSlices(db, FREED_AT_ONCE));
  });
  const lostClaims = createLostClaims({ db, claims, workerId: () => identity.id(), logger });
  timers.every("look for lost claims", LOST_CLAIMS_MS, async () => {
    if ((await lostClaims.look()) > 0) await slices.enqueue(await waitingSlices(db, FREED_AT_ONCE));
  });
  timers.every("reconcile", RECONCILE_TICK_MS, () =>
    reconcile({ db, queues, slices, deliveries, upstreams, tiers, logger, clock }),
  );
  timers.every("look for stopped batches", STOPPED_LOOK_MS, async () => {
    for (const lane of lanes.all) {
      const inHand = lane.batches();
      if (inHand.length === 0) continue;
      for (const { batchNo: number, isSealed } of await stoppedBatches(db, inHand, clock())) {
        lane.giveBackUnsent(0, (task) => task.slice.batchNo === number);
        if (isSealed) lane.breakOff(number);
      }
    }
  });
  timers.soon("schedule maintenance", 0, () => queues.schedule("maintenance.run", MAINTENANCE_MS));
}
