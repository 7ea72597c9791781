/**
 * Defines every job: its payload, its queue, what makes two jobs the same, and how it ends. Producers and workers read
 * this list, so they cannot drift apart. A payload only says which rows of Postgres to read. It carries no bytes of a
 * line, because the queue may be wiped at any moment and the dashboard shows every payload.
 */
import { Type, type Static, type TProperties } from "@sinclair/typebox";
import type { JobsOptions } from "bullmq";

/** Unknown fields are allowed, so that a newer producer can add optional fields without a new version. */
const payload = <P extends TProperties>(fields: P) => Type.Object({ v: Type.Literal(1), ...fields });

const count = Type.Integer({ minimum: 0 });

/**
 * The payload schemas by job name. A change that older workers would misread needs a new `v`. Older workers put such a
 * job back until they are replaced.
 */
export const payloadSchemas = {
  /** Takes a batch through its next step. */
  "batch.advance": payload({ batch_no: count }),
  /** Fills the window of an upstream. */
  "upstream.feed": payload({ upstream: Type.String({ minLength: 1 }) }),
  /** Sends the lines of one slice. */
  "slice.run": payload({ slice_no: count, gen: count }),
  /**
   * Shows a line that used up its attempts in the dashboard. `batch_id` and `reason` are for people who read them
   * there.
   */
  "line.failed": payload({
    batch_no: count,
    batch_id: Type.String(),
    line: count,
    request_gen: count,
    reason: Type.String(),
  }),
  /** Sends one webhook delivery if it is due. */
  "webhook.deliver": payload({ delivery: count }),
  /** Runs maintenance: expiry and retention. */
  "maintenance.run": payload({}),
} as const;

/** The name of a job. */
export type JobName = keyof typeof payloadSchemas;

/** The payload of a job with that name. */
export type JobPayload<N extends JobName> = Static<(typeof payloadSchemas)[N]>;

/** The payload of a line that used up its attempts. */
export type LineFailedPayload = JobPayload<"line.failed">;

/** The options that make two jobs the same job. */
type Identity = Pick<JobsOptions, "jobId" | "deduplication">;

interface JobSpec<N extends JobName> {
  /** The queue. `slices` stands for one queue for each upstream, named by `slicesQueue`. */
  readonly queue: "batches" | "feeds" | "failed-lines" | "webhooks" | "maintenance" | "slices";
  readonly identity: (payload: JobPayload<N>) => Identity;
  /**
   * The number of failed jobs that are kept. With 0, the id is free immediately, so the reconciler can always add the
   * job again.
   */
  readonly keptFailed: number;
  /** If set, the job always ends in the failed set, with this reason. */
  readonly parkedReason?: (payload: JobPayload<N>) => string;
}

/**
 * Lets at most one such job wait. A job that arrives while another one runs is run afterwards; a fixed job id would
 * drop it instead. Do not set a `ttl`: BullMQ repairs keys whose job is gone only if the keys have no `ttl`
 * (docs/adr/0004-queue-deduplication.md).
 */
const once = (id: string): Identity => ({ deduplication: { id, keepLastIfActive: true } });

/** The rules of each job. Job ids have no `:` and are not plain integers, because BullMQ refuses both. */
export const catalogue: { readonly [N in JobName]: JobSpec<N> } = {
  "batch.advance": { queue: "batches", identity: (job) => once(`b${String(job.batch_no)}`), keptFailed: 0 },
  "upstream.feed": { queue: "feeds", identity: (job) => once(job.upstream), keptFailed: 0 },
  "slice.run": {
    queue: "slices",
    identity: (job) => ({ jobId: `s${String(job.slice_no)}-${String(job.gen)}` }),
    keptFailed: 0,
  },
  "line.failed": {
    queue: "failed-lines",
    identity: (job) => ({ jobId: `f${String(job.batch_no)}-${String(job.line)}-${String(job.request_gen)}` }),
    keptFailed: 1_000,
    parkedReason: (job) => job.reason,
  },
  "webhook.deliver": {
    queue: "webhooks",
    identity: (job) => ({ jobId: `w${String(job.delivery)}` }),
    keptFailed: 0,
  },
  "maintenance.run": { queue: "maintenance", identity: () => once("maintenance"), keptFailed: 0 },
};

/** Returns the name of the queue for the slices of an upstream. */
export const slicesQueue = (upstream: string): string => `slices-${upstream}`;

/** Returns the name of a job's queue. Throws if `slice.run` is given without its upstream. */
export function queueOf(name: JobName, upstream?: string): string {
  const { queue } = catalogue[name];
  if (queue !== "slices") return queue;
  if (upstream === undefined)
    throw new Error(`${name} needs the name of its upstream, because each upstream has its own queue`);
  return slicesQueue(upstream);
}

/** Returns the names of all queues for these upstreams, in the order of the dashboard. */
export function allQueues(upstreams: readonly string[]): string[] {
  return ["batches", "feeds", ...upstreams.map(slicesQueue), "failed-lines", "webhooks", "maintenance"];
}
