/** Builds the parts of a worker in dependency order, starts them, and stops them in a fixed order. */
import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { declareUpstream, ensureLinePartition } from "@nightshift/db";
import { DAY_MS } from "@nightshift/domain";
import type { JobWorker } from "@nightshift/queue";
import type { Registry } from "@nightshift/service";
import { withRecentObjects } from "@nightshift/storage";
import type { WorkerDeps } from "./deps.ts";
import { createDirectSteps, type DirectSteps } from "./direct-steps.ts";
import { takeJobs, type JobDeps } from "./jobs.ts";
import { startRepairs, type RepairDeps } from "./maintenance/start-repairs.ts";
import { createWorkerIdentity, type WorkerIdentity } from "./maintenance/worker-identity.ts";
import { createWorkerMetrics, registerWorkerGauges } from "./metrics.ts";
import { createScheduler } from "./scheduler.ts";
import { advanceBatch } from "./steps/advance.ts";
import { createInputBlocks } from "./steps/claim/input-blocks.ts";
import { runSlice } from "./steps/claim/run-slice.ts";
import { createSliceClaims } from "./steps/claim/slice-claims.ts";
import { createLineIndexes } from "./steps/feed/line-indexes.ts";
import { afterRecord } from "./steps/record/after-record.ts";
import { createRecorder, type Recorder } from "./steps/record/recorder.ts";
import { createByteBudget } from "./steps/send/byte-budget.ts";
import { openLanes, type Lanes } from "./steps/send/lanes.ts";
import { createLinesInHand, type LinesInHand } from "./steps/send/lines-in-hand.ts";
import { createValidationThreads, type ValidationThreads } from "./steps/validate/validation-threads.ts";
import { createTimers, type Timers } from "./timers.ts";
import { createDeliveryQueue } from "./webhooks/delivery-queue.ts";

export interface RunningWorker {
  /**
   * Takes no new line, gives lines in flight `graceMs` to finish, records them, and returns all other lines to the
   * ledger.
   */
  stop(graceMs: number): Promise<void>;
}

/**
 * Budget for replies that are not recorded yet. With their copies in result lines and segments, they take three times
 * as much memory. For a batch of 50,000 embeddings, a worker used 530 MB with a budget of 64 MB, and 380 MB with 24 MB,
 * at the same speed.
 */
const BUDGET_BYTES = 16 * 1024 * 1024;
/** Caches the inputs and segments of small batches, because they are read again immediately after they are written. */
const RECENT_OBJECTS = { maxBytes: 8 * 1024 * 1024, maxObjectBytes: 256 * 1024 };
/** After a handler has ended, its job needs a moment to leave the queue. */
const JOBS_CLOSE_MS = 2_000;
/** Time for the assembly of small batches when the worker stops. */
const DIRECT_STEPS_CLOSE_MS = 2_000;

/** Resolves when the worker takes jobs. Rejects if Postgres or the queue is unavailable. */
export async function startWorker(given: WorkerDeps, registry: Registry): Promise<RunningWorker> {
  const deps = { ...given, objects: withRecentObjects(given.objects, RECENT_OBJECTS) };
  const stopping = new AbortController();
  // Each slice that waits for room listens to this signal.
  setMaxListeners(0, stopping.signal);
  await prepareLedger(deps);
  const parts = buildParts(deps, registry, stopping.signal);
  const { directSteps, identity, jobDeps, lanes, timers } = parts;

  await identity.start(() => {
    lanes.loseIdentity();
  });
  directSteps.start({
    advance: (batchNo) => advanceBatch(jobDeps.advance, batchNo),
    run: async (slice) => {
      const lane = lanes.all.find(({ name }) => name === slice.upstream);
      if (lane !== undefined) await runSlice(jobDeps.slices, lane, slice);
    },
  });
  const jobs = takeJobs(deps.queues, lanes.all, timers, jobDeps);
  startRepairs(parts.repairDeps);
  deps.logger.info({ worker: identity.id(), upstreams: lanes.all.map((lane) => lane.name) }, "worker started");

  return {
    async stop(graceMs) {
      stopping.abort(new Error("the worker is stopping"));
      await stopWorker(parts, jobs, graceMs);
    },
  };
}

async function prepareLedger({ db, routes, clock }: WorkerDeps): Promise<void> {
  for (const upstream of routes.upstreams) await declareUpstream(db, upstream);
  await ensureLinePartition(db, Math.floor(clock().getTime() / DAY_MS));
}

/** The parts that are started and stopped, and the dependencies of the jobs and the repairs. */
interface Parts {
  readonly directSteps: DirectSteps;
  readonly identity: WorkerIdentity;
  readonly inHand: LinesInHand;
  readonly lanes: Lanes;
  readonly recorder: Recorder;
  readonly threads: ValidationThreads;
  readonly timers: Timers;
  readonly jobDeps: JobDeps;
  readonly repairDeps: RepairDeps;
}

/** Builds the steps from last to first, because each step depends only on later ones. */
function buildParts(deps: WorkerDeps, registry: Registry, stopping: AbortSignal): Parts {
  const { db, objects, queues, logger, clock } = deps;
  const timers = createTimers(logger);
  const identity = createWorkerIdentity(db, logger);
  const workerId = (): string => identity.id();
  const metrics = createWorkerMetrics(registry);
  const deliveries = createDeliveryQueue({ db, queues, clock });
  const scheduler = createScheduler({ queues, deliveries, timers, logger });
  const directSteps = createDirectSteps(logger);

  const inHand = createLinesInHand();
  const recorder = createRecorder({
    db,
    objects,
    logger,
    clock,
    inHand,
    events: {
      recorded(recorded, finished) {
        afterRecord({ scheduler, directSteps, metrics }, recorded, finished);
      },
    },
  });
  const budget = createByteBudget(BUDGET_BYTES);
  const lanes = openLanes({ ...deps, recorder, budget, inHand, metrics, workerId });
  registerWorkerGauges(registry, { lanes: lanes.all, budget });
  const claims = createSliceClaims({ db, workerId, clock });
  const inputs = createInputBlocks(objects);
  const feedDeps = { db, clock, indexes: createLineIndexes(objects), scheduler, directSteps };
  const threads = createValidationThreads();

  return {
    directSteps,
    identity,
    inHand,
    lanes,
    recorder,
    threads,
    timers,
    jobDeps: {
      advance: { ...deps, ...feedDeps, threads },
      feed: feedDeps,
      slices: { claims, inputs, recorder, logger, stopping },
      webhooks: { ...deps, metrics, workerId, random: Math.random },
      maintenance: deps,
    },
    repairDeps: { ...deps, scheduler, deliveries, timers, claims, lanes, inHand, workerId },
  };
}

async function stopWorker(parts: Parts, jobs: readonly JobWorker[], graceMs: number): Promise<void> {
  const { directSteps, identity, inHand, lanes, recorder, threads, timers } = parts;
  timers.stopRepeating();
  await Promise.all(jobs.map((job) => job.stopTaking()));
  const graceTimer = setTimeout(() => {
    inHand.abort();
  }, graceMs);
  await Promise.all(lanes.all.map((lane) => lane.drain()));
  clearTimeout(graceTimer);
  recorder.flushNow();
  await recorder.idle();
  await Promise.race([directSteps.idle(), sleep(DIRECT_STEPS_CLOSE_MS, undefined, { ref: false })]);
  await Promise.all(jobs.map((job) => job.close(JOBS_CLOSE_MS)));
  timers.close();
  await threads.close();
  await lanes.close();
  await identity.stop();
}
