/** Defines the handler of each job. If a job of the catalogue has no entry here, this file does not compile. */
import type { JobHandlers, JobName, JobQueues, JobWorker } from "@nightshift/queue";
import { runMaintenance, type MaintenanceDeps } from "./maintenance/run-maintenance.ts";
import { advanceBatch, type AdvanceDeps } from "./steps/advance.ts";
import { runSlice, type RunSliceDeps } from "./steps/claim/run-slice.ts";
import { feed, type FeedDeps } from "./steps/feed/feeder.ts";
import type { UpstreamLane } from "./steps/send/upstream-lane.ts";
import type { Timers } from "./timers.ts";
import { deliverWebhook, type DeliverDeps } from "./webhooks/deliver-webhook.ts";

export interface JobDeps {
  readonly advance: AdvanceDeps;
  readonly feed: FeedDeps;
  readonly slices: RunSliceDeps;
  readonly webhooks: DeliverDeps;
  readonly maintenance: MaintenanceDeps;
}

interface Job<Name extends JobName> {
  readonly handler: JobHandlers[Name];
  /** The number of jobs that run at the same time. */
  readonly concurrency: number;
}

/** Slices have a queue for each upstream; all other jobs have one queue. */
type PlainName = Exclude<JobName, "slice.run">;
type PlainJobs = { readonly [Name in PlainName]: Job<Name> };
type Jobs = PlainJobs & { readonly "slice.run": (lane: UpstreamLane) => Job<"slice.run"> };

const ADVANCE_AT_ONCE = 4;
/** Receivers that do not reply (10 s per attempt, 16 attempts) must leave room for other receivers. */
const DELIVER_AT_ONCE = 64;
const TUNE_MS = 100;

function jobsOf(deps: JobDeps, upstreams: number): Jobs {
  return {
    "batch.advance": { handler: (job) => advanceBatch(deps.advance, job.batch_no), concurrency: ADVANCE_AT_ONCE },
    "upstream.feed": { handler: (job) => feed(deps.feed, job.upstream), concurrency: upstreams },
    "slice.run": (lane) => ({
      handler: (job) => runSlice(deps.slices, lane, { sliceNo: job.slice_no, gen: job.gen }),
      concurrency: lane.room.wantedSlices(),
    }),
    // There is nothing to do: the catalogue ends the job in the failed set, where an admin can retry the line.
    "line.failed": { handler: () => Promise.resolve(), concurrency: 1 },
    "webhook.deliver": {
      handler: (job, signal) => deliverWebhook(deps.webhooks, job.delivery, signal),
      concurrency: DELIVER_AT_ONCE,
    },
    "maintenance.run": { handler: () => runMaintenance(deps.maintenance), concurrency: 1 },
  };
}

/** Starts to take jobs from every queue. */
export function takeJobs(
  queues: JobQueues,
  lanes: readonly UpstreamLane[],
  timers: Timers,
  deps: JobDeps,
): JobWorker[] {
  const { "slice.run": sliceJob, ...plainJobs } = jobsOf(deps, lanes.length);
  return [
    ...(Object.keys(plainJobs) as PlainName[]).map((name) => take(queues, plainJobs, name)),
    ...lanes.map((lane) => takeSlices(queues, lane, timers, sliceJob(lane))),
  ];
}

function take<Name extends PlainName>(
  queues: JobQueues,
  jobs: { readonly [N in Name]: Job<N> },
  name: Name,
): JobWorker {
  const { handler, concurrency } = jobs[name];
  return queues.work(name, handler, { concurrency });
}

/** The queue gives a worker only as many slices as its lane can use, so that other workers get the remaining slices. */
function takeSlices(queues: JobQueues, lane: UpstreamLane, timers: Timers, job: Job<"slice.run">): JobWorker {
  let { concurrency } = job;
  const worker = queues.work("slice.run", job.handler, { concurrency, upstream: lane.name });
  timers.every(`tune ${lane.name}`, TUNE_MS, () => {
    lane.giveBackIfStarved();
    const wanted = lane.room.wantedSlices();
    if (Math.abs(wanted - concurrency) > Math.max(1, concurrency / 4)) {
      concurrency = wanted;
      worker.setConcurrency(wanted);
    }
    return Promise.resolve();
  });
  return worker;
}
