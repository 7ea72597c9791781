/** The worker of one queue: passes validated payloads to a handler, and survives outages of the queue's server. */
import { DelayedError, UnrecoverableError, WaitingError, type Job, type Worker } from "bullmq";
import type { QueueConnections } from "./connections.ts";
import { catalogue, type JobName, type JobPayload } from "./catalogue.ts";
import type { PayloadReader } from "./payload.ts";
import type { ErrorLog, QueueLogger } from "./queue-log.ts";
import { settlesWithin } from "./unavailable.ts";

/**
 * Runs a job. The handler must be idempotent, because the same job may run twice. A job whose handler rejects runs up
 * to three times.
 */
export type JobHandler<N extends JobName> = (payload: JobPayload<N>, signal: AbortSignal) => Promise<void>;

/** One handler for each job of the catalogue. If a job has no handler, the code does not compile. */
export type JobHandlers = { readonly [N in JobName]: JobHandler<N> };

/** A running worker. */
export interface JobWorker {
  /** Changes how many jobs run at the same time. Running jobs continue. Throws if the number is below 1. */
  setConcurrency(concurrency: number): void;
  /** Stops calling handlers. Running handlers continue. A job that is being taken goes back to the queue. */
  stopTaking(): Promise<void>;
  /** Stops taking jobs, gives running handlers `timeoutMs`, then aborts them and waits 1 s. Never rejects or hangs. */
  close(timeoutMs: number): Promise<void>;
}

/** The parts of a worker. */
export interface JobWorkerOptions<N extends JobName> {
  readonly name: N;
  readonly queue: string;
  readonly handler: JobHandler<N>;
  readonly concurrency: number;
  readonly connections: QueueConnections;
  readonly readPayload: PayloadReader;
  readonly logger: QueueLogger;
  readonly errorLog: ErrorLog;
}

/** How long a job with a newer version waits before another worker may try it. */
const NEWER_DELAY_MS = 60_000;

/** How long to wait before a worker that could not start is replaced. */
const RESTART_DELAY_MS = 1_000;

/** How long handlers may take to end after their signal aborts. */
const ABORT_TIMEOUT_MS = 1_000;

/** Starts a worker, which takes jobs from now on. */
export function startJobWorker<N extends JobName>(options: JobWorkerOptions<N>): JobWorker {
  const { queue, connections, logger } = options;
  const onError = options.errorLog(`worker of ${queue}`);
  let concurrency = options.concurrency;
  let stopped = false;
  let revival: NodeJS.Timeout | undefined;
  let worker = start();

  function start(): Worker<unknown> {
    const started = connections.openWorker(
      queue,
      processor(options, () => stopped),
      {
        concurrency,
        keptFailed: catalogue[options.name].keptFailed,
      },
    );
    started.on("error", onError);
    started.on("failed", (job, error) => {
      if (job === undefined || error instanceof ParkedError) return;
      logger.warn({ err: error, queue, job: job.id, attempt: job.attemptsMade }, "job failed");
    });
    started.on("stalled", (job) => {
      logger.info({ queue, job }, "job taken over from a worker that disappeared");
    });
    // On Postgres, a worker whose first connection fails never tries again.
    started.waitUntilReady().catch((error: unknown) => {
      onError(error instanceof Error ? error : new Error(String(error)));
      void started.close(true);
      if (stopped) return;
      revival = setTimeout(() => {
        worker = start();
      }, RESTART_DELAY_MS);
    });
    return started;
  }

  function stop(): void {
    stopped = true;
    clearTimeout(revival);
    // An idle worker still waits for a job. The processor gives that job back.
    worker.pause(true).catch(onError);
  }

  return {
    setConcurrency: (next) => {
      const grows = next > worker.concurrency;
      worker.concurrency = next;
      concurrency = next;
      if (!grows || stopped) return;
      // BullMQ reads the number only when a job ends. Pausing and resuming makes it read the number now.
      worker.pause(true).catch(onError);
      worker.resume().catch(onError);
    },
    stopTaking: async () => {
      stop();
      await Promise.resolve();
    },
    close: async (timeoutMs) => {
      stop();
      const closing = worker.close();
      if (await settlesWithin(timeoutMs, closing)) return;
      worker.cancelAllJobs("shutting down");
      if (await settlesWithin(ABORT_TIMEOUT_MS, closing)) return;
      logger.warn({ queue }, "worker not closed: handlers still run, or the queue's server is unavailable");
      worker.disconnect().catch(onError);
    },
  };
}

/** The error that moves a job to the failed set. */
class ParkedError extends UnrecoverableError {}

function processor<N extends JobName>(options: JobWorkerOptions<N>, isStopped: () => boolean) {
  const { name, handler, readPayload, logger } = options;
  // BullMQ passes a signal only to a function with three parameters.
  return async (job: Job<unknown>, token?: string, signal?: AbortSignal): Promise<void> => {
    if (isStopped()) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    const read = job.name === name ? readPayload(name, job.data) : ({ kind: "newer" } as const);
    if (read.kind === "newer") {
      logger.warn({ job: job.id, name: job.name }, "job of a newer version put back");
      await job.moveToDelayed(Date.now() + NEWER_DELAY_MS, token);
      throw new DelayedError();
    }
    if (read.kind === "invalid") throw new UnrecoverableError(`payload: ${read.faults}`);
    await handler(read.payload, signal ?? new AbortController().signal);
    const reason = catalogue[name].parkedReason?.(read.payload);
    if (reason !== undefined) throw new ParkedError(reason);
  };
}
