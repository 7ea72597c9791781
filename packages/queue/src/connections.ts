/** What the two backends have in common: what each must be able to do, and how their workers behave. */
import type { Processor, Queue, Worker } from "bullmq";

/** What a worker of a queue needs to know beyond its processor. */
export interface WorkerSettings {
  readonly concurrency: number;
  /** How many failed jobs stay in the failed set. */
  readonly keptFailed: number;
}

/** A process' connections to the queue's server, shared by its queues and workers as far as BullMQ lets them. */
export interface QueueConnections {
  /** A queue to add to and to look at; its calls fail at once while the server is away. */
  openQueue(name: string): Queue;
  /** A worker that starts taking jobs at once. */
  openWorker(name: string, processor: Processor<unknown>, settings: WorkerSettings): Worker<unknown>;
  /** Closes what the queues and workers shared; they must be closed before. */
  end(): Promise<void>;
}

/** What both backends give to each worker (docs/adr and the measurements behind it: a killed worker's jobs are taken over within 6 s). */
export const WORKER_TIMING = {
  lockDuration: 5000,
  stalledInterval: 2000,
  // A job that outlives this many killed workers is given up; the reconciler adds it again.
  maxStalledCount: 10,
  // After an error of the connection.
  runRetryDelay: 1000,
  // Seconds after which an idle worker looks by itself: wake-ups come by BZPOPMIN and LISTEN, this is for one that got lost.
  drainDelay: 5,
} as const;

/** Length of BullMQ's event streams, which nobody here reads. Not 0: that would mean without limit on Postgres. */
export const KEPT_EVENTS = 100;
