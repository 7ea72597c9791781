/** The queue: BullMQ on Redis or Postgres. No other package imports bullmq. */
export { prepareQueueBackend, type QueueBackend } from "./backend.ts";
export type { JobName, JobPayload, LineFailedPayload } from "./catalogue.ts";
export { openQueues, type JobQueues, type OpenQueuesOptions, type SliceToRun, type WorkOptions } from "./job-queues.ts";
export type { JobHandler, JobHandlers, JobWorker } from "./job-worker.ts";
export type { QueueLogger } from "./queue-log.ts";
export { QueueUnavailableError } from "./unavailable.ts";
export type { Job, Queue } from "bullmq";
