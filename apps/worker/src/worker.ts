/** Puts the worker's parts together, starts them on the queues and their timers, and stops them in order. */
import { setMaxListeners } from "node:events";
import {
  declareUpstream,
  ensureLinePartition,
  stoppedBatches,
  waitingSlices,
  type Recorded,
} from "@nightshift/db";
import type { JobWorker } from "@nightshift/queue";
import type { Registry } from "@nightshift/service";
import { openUpstreamClient, type UpstreamSettings } from "@nightshift/upstream";
import type { WorkerDeps } from "./deps.ts";
import { advanceBatch } from "./jobs/advance-batch.ts";
import { parkFailedLine } from "./jobs/park-failed-line.ts";
import { runUpkeep } from "./jobs/upkeep.ts";
import { createSliceQueue } from "./ledger/enqueue-slices.ts";
import { feed } from "./ledger/feeder.ts";
import { createLineIndexes } from "./ledger/line-indexes.ts";
import { createReaper } from "./ledger/reaper.ts";
import { reconcile, UPKEEP_MS } from "./ledger/reconciler.ts";
import { createWorkerIdentity, processHost } from "./ledger/worker-identity.ts";
import { createByteBudget } from "./lines/byte-budget.ts";
import { createInputBlocks } from "./lines/input-blocks.ts";
import { runSlice } from "./lines/slice-intake.ts";
import { createUpstreamLane, type UpstreamLane } from "./lines/upstream-lane.ts";
import { createUpstreamLease, type UpstreamLease } from "./lines/upstream-lease.ts";
import { createWorkerMetrics } from "./metrics.ts";
import { createRecorder } from "./results/recorder.ts";
import type { FinishedLine } from "./results/segment.ts";
import { createTimers } from "./timers.ts";

export interface RunningWorker {
  /** Takes nothing new, lets what is in flight end within `graceMs`, records it, gives the rest back, and signs off. */
  stop(graceMs: number): Promise<void>;
}

/** Replies that are not recorded yet. */
const BUDGET_BYTES = 64 * 1024 * 1024;
const ADVANCE_AT_ONCE = 4;
/** A record is followed by a feed, but no more often than this: each costs a job and a transaction. */
const FEED_MS = 40;
const REAP_MS = 1_000;
const RECONCILE_TICK_MS = 500;
const STOPPED_LOOK_MS = 400;
const TUNE_MS = 100;
const DAY_MS = 86_400_000;
/** Jobs whose handlers have ended need a moment to be taken off the queue. */
const JOBS_CLOSE_MS = 2_000;

export async function startWorker(deps: WorkerDeps, registry: Registry): Promise<RunningWorker> {
  const { db, objects, queues, routes, logger, clock } = deps;
  const upstreams = routes.upstreams.map((upstream) => upstream.name);
  for (const { name, concurrency, requestsPerMinute } of routes.upstreams) {
    await declareUpstream(db, { name, concurrency, requestsPerMinute });
  }
  await ensureLinePartition(db, Math.floor(clock().getTime() / DAY_MS));

  const stopping = new AbortController();
  // Each slice that waits for room listens to it.
  setMaxListeners(0, stopping.signal);
  const timers = createTimers(logger);
  const lanes = new Map<string, UpstreamLane>();
  const leases: UpstreamLease[] = [];
  const clients: { close(): Promise<void> }[] = [];
  const allLanes = (): UpstreamLane[] => [...lanes.values()];

  const identity = createWorkerIdentity(db, logger, () => {
    for (const lane of allLanes()) lane.dropUnsent();
    for (const lease of leases) lease.reset();
  });
  const budget = createByteBudget(BUDGET_BYTES, () => {
    for (const lane of allLanes()) lane.pump();
  });
  const metrics = createWorkerMetrics(registry, {
    linesInFlight: () => new Map(allLanes().map((lane) => [lane.name, lane.inFlight()])),
    unrecordedBytes: budget.held,
  });
  const slices = createSliceQueue(queues, logger);
  const indexes = createLineIndexes(objects);
  const inputs = createInputBlocks(objects);
  const feedNow = (upstream: string): Promise<number> => feed({ db, clock, indexes, slices }, upstream);
  const enqueueAdvance = (batch: number): Promise<void> => queues.enqueue("batch.advance", { v: 1, batch });

  const onRecorded = (recorded: Recorded, finished: readonly FinishedLine[]): void => {
    void slices.enqueue(recorded.slices);
    for (const batch of recorded.sealed) timers.soon("advance a sealed batch", 0, () => enqueueAdvance(batch));
    for (const { task, outcome } of finished) {
      const { upstream, batch, batchId, requestGen } = task.slice;
      const isExhausted = outcome.exhaustedBy !== null;
      metrics.lineRecorded(upstream, outcome.file === "output" ? "completed" : isExhausted ? "exhausted" : "failed");
      if (outcome.exhaustedBy === null) continue;
      const parked = { v: 1, batch, batch_id: batchId, line: task.line, request_gen: requestGen, reason: outcome.exhaustedBy } as const;
      timers.soon("park a failed line", 0, () => queues.enqueue("line.failed", parked));
    }
    for (const upstream of new Set(finished.map((line) => line.task.slice.upstream))) {
      timers.once(`feed ${upstream}`, FEED_MS, () => queues.enqueue("upstream.feed", { v: 1, upstream }));
    }
  };
  const recorder = createRecorder({
    db,
    objects,
    logger,
    clock,
    expectsMore: (batch) => allLanes().some((lane) => lane.holds(batch)),
    onRecorded,
  });

  const openLane = (settings: UpstreamSettings): UpstreamLane => {
    const client = openUpstreamClient(settings);
    const lease = createUpstreamLease({
      db,
      upstream: settings.name,
      workerId: identity.id,
      logger,
      onGranted: () => lane.pump(),
    });
    const lane = createUpstreamLane({ settings, client, routes, recorder, budget, lease, metrics, clock });
    clients.push(client);
    leases.push(lease);
    return lane;
  };
  for (const settings of routes.upstreams) lanes.set(settings.name, openLane(settings));

  await identity.start();
  const reaper = createReaper({ db, logger, host: processHost(), monotonicMs: () => performance.now() });
  const advance = advanceBatch({
    ...deps,
    feed: feedNow,
    again: (batch, delayMs) => {
      timers.soon("look at a batch again", delayMs, () => enqueueAdvance(batch));
    },
  });

  const jobs: JobWorker[] = [
    queues.work("batch.advance", advance, { concurrency: ADVANCE_AT_ONCE }),
    queues.work("upstream.feed", async ({ upstream }) => void (await feedNow(upstream)), { concurrency: upstreams.length }),
    queues.work("line.failed", parkFailedLine(), { concurrency: 1 }),
    queues.work("upkeep.run", runUpkeep(deps), { concurrency: 1 }),
  ];
  for (const lane of allLanes()) {
    const intake = { db, inputs, logger, clock, recorder, workerId: identity.id };
    const job = queues.work(
      "slice.run",
      (payload) => runSlice(intake, lane, { sliceNo: payload.slice_no, gen: payload.gen }, stopping.signal),
      { concurrency: lane.wantedSlices(), upstream: lane.name },
    );
    jobs.push(job);
    timers.every(`tune ${lane.name}`, TUNE_MS, tuner(lane, job));
  }

  timers.every("reap", REAP_MS, async () => {
    if ((await reaper.look()) > 0) await slices.enqueue(await waitingSlices(db, 5_000));
  });
  timers.every("reconcile", RECONCILE_TICK_MS, () => reconcile({ db, queues, slices, upstreams, logger, clock }));
  timers.every("look for stopped batches", STOPPED_LOOK_MS, async () => {
    for (const lane of allLanes()) {
      const inHand = lane.batches();
      if (inHand.length === 0) continue;
      const stopped = new Set(await stoppedBatches(db, inHand, clock()));
      if (stopped.size > 0) lane.giveBackUnsent(0, (task) => stopped.has(task.slice.batch));
    }
  });
  timers.soon("schedule upkeep", 0, () => queues.schedule("upkeep.run", UPKEEP_MS));
  logger.info({ worker: identity.id(), upstreams }, "worker started");

  return {
    async stop(graceMs) {
      stopping.abort(new Error("the worker stops"));
      timers.stopRepeating();
      await Promise.all(jobs.map((job) => job.stopTaking()));
      const cut = setTimeout(() => {
        for (const lane of allLanes()) lane.abort();
      }, graceMs);
      await Promise.all(allLanes().map((lane) => lane.drain()));
      clearTimeout(cut);
      recorder.flushNow();
      await recorder.idle();
      await Promise.all(jobs.map((job) => job.close(JOBS_CLOSE_MS)));
      timers.close();
      slices.close();
      for (const lease of leases) lease.close();
      await Promise.all(clients.map((client) => client.close()));
      await identity.stop();
    },
  };
}

/** The queue hands a worker as many slices as its lane can use, so that other workers get the rest. */
function tuner(lane: UpstreamLane, job: JobWorker): () => Promise<void> {
  let current = lane.wantedSlices();
  return () => {
    const wanted = lane.wantedSlices();
    const isFar = Math.abs(wanted - current) > Math.max(1, current / 4);
    if (isFar) {
      current = wanted;
      job.setConcurrency(wanted);
    }
    return Promise.resolve();
  };
}
