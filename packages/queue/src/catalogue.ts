/**
 * Every job there is: its payload, its queue, what makes two of them the same, and how it ends. Producers and workers read this one list, so
 * they cannot drift. A payload says where in Postgres to look and carries no line's bytes: the queue may be wiped, and it shows in the dashboard.
 */
import { Type, type Static, type TProperties } from "@sinclair/typebox";
import type { JobsOptions } from "bullmq";

/** Fields beyond these are let through, so that a newer producer may add optional ones without a new version. */
const payload = <P extends TProperties>(fields: P) => Type.Object({ v: Type.Literal(1), ...fields });

const count = Type.Integer({ minimum: 0 });

/** The payload schemas, by job name. A change that older workers would get wrong takes a new `v`; they put such a job back until they are replaced. */
export const payloadSchemas = {
  /** Do the next step of a batch, by its number. */
  "batch.advance": payload({ batch_no: count }),
  /** Top up the window of an upstream. */
  "upstream.feed": payload({ upstream: Type.String({ minLength: 1 }) }),
  /** Send the lines of one slice of the ledger. */
  "slice.run": payload({ slice_no: count, gen: count }),
  /** A line that ran out of attempts: `batch` is the number, `batch_id` the public id, for the person who reads the dashboard. */
  "line.failed": payload({
    batch_no: count,
    batch_id: Type.String(),
    line: count,
    request_gen: count,
    reason: Type.String(),
  }),
  /** Send one delivery of a webhook, by its number, if it is due. */
  "webhook.deliver": payload({ delivery: count }),
  /** Expiry and retention. */
  "maintenance.run": payload({}),
} as const;

/** Name of a job. */
export type JobName = keyof typeof payloadSchemas;

/** What a job of that name carries. */
export type JobPayload<N extends JobName> = Static<(typeof payloadSchemas)[N]>;

/** Payload of a line that ran out of attempts. */
export type LineFailedPayload = JobPayload<"line.failed">;

/** What makes two jobs the same one. */
type Identity = Pick<JobsOptions, "jobId" | "deduplication">;

interface JobSpec<N extends JobName> {
  /** The queue; slices have one for each upstream, named by `slicesQueue`. */
  readonly queue: "batches" | "feeds" | "failed-lines" | "webhooks" | "maintenance" | "slices";
  readonly identity: (payload: JobPayload<N>) => Identity;
  /** How many failed jobs stay to be looked at. 0: the id is free again at once, so that the reconciler can always add the job anew. */
  readonly keptFailed: number;
  /** Where set, the job always ends in the failed set, with this as its reason. */
  readonly parkedReason?: (payload: JobPayload<N>) => string;
}

/**
 * At most one of these waits; one that arrives while another runs is run once more after it. A fixed job id would swallow it instead.
 * There must be no `ttl` here: BullMQ looks for keys whose job is gone only among keys without one (docs/adr/0004-queue-deduplication.md).
 */
const once = (id: string): Identity => ({ deduplication: { id, keepLastIfActive: true } });

/** The rules of each job beyond its payload. Ids hold no `:`, which BullMQ refuses, and are never bare integers. */
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
    keptFailed: 1000,
    parkedReason: (job) => job.reason,
  },
  "webhook.deliver": {
    queue: "webhooks",
    identity: (job) => ({ jobId: `w${String(job.delivery)}` }),
    keptFailed: 0,
  },
  "maintenance.run": { queue: "maintenance", identity: () => once("maintenance"), keptFailed: 0 },
};

/** Name of the queue that holds the slices of an upstream. */
export const slicesQueue = (upstream: string): string => `slices-${upstream}`;

/** Name of the queue of a job; slices need the upstream's name. Throws when it is missing. */
export function queueOf(name: JobName, upstream?: string): string {
  const { queue } = catalogue[name];
  if (queue !== "slices") return queue;
  if (upstream === undefined) throw new Error(`the queue of ${name} is its upstream's: name the upstream`);
  return slicesQueue(upstream);
}

/** All queues of an installation with these upstreams, in the order in which the dashboard shows them. */
export function allQueues(upstreams: readonly string[]): string[] {
  return ["batches", "feeds", ...upstreams.map(slicesQueue), "failed-lines", "webhooks", "maintenance"];
}
