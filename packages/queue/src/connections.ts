/** The interface of the two backends, and the timing that their workers share. */
import type { Processor, Queue, Worker } from "bullmq";

/** The settings of a worker, beyond its processor. */
export interface WorkerSettings {
  readonly concurrency: number;
  /** How many failed jobs are kept in the failed set. */
  readonly keptFailed: number;
}

/** The connections of a process to the queue's server. Queues and workers share them as far as BullMQ allows. */
export interface QueueConnections {
  /** Opens a queue to add and read jobs. Its calls fail at once while the server is unavailable. */
  openQueue(name: string): Queue;
  /** Opens a worker that takes jobs from now on. */
  openWorker(name: string, processor: Processor<unknown>, settings: WorkerSettings): Worker<unknown>;
  /** Closes the shared connections. Close the queues and workers first. */
  end(): Promise<void>;
}

/** With these values, other workers take over the jobs of a killed worker within 6 s (measured on both backends). */
export const WORKER_TIMING = {
  lockDuration: 5_000,
  stalledInterval: 2_000,
  // A job is given up after this many workers were killed under it. The reconciler then adds it again.
  maxStalledCount: 10,
  // The wait after a connection error.
  runRetryDelay: 1_000,
  // An idle worker polls after this many seconds, in case a wake-up (BZPOPMIN or LISTEN) was lost.
  drainDelay: 5,
} as const;

/** The length of BullMQ's event streams, which Nightshift does not read. On Postgres, 0 would mean no limit. */
export const KEPT_EVENTS = 100;
