/** One worker of one queue: hands checked payloads to a handler, and outlives every outage of the queue's server. */
import { DelayedError, UnrecoverableError, WaitingError, type Job, type Worker } from "bullmq";
import type { QueueConnections } from "./connections.ts";
import { catalogue, type JobName, type JobPayload } from "./catalogue.ts";
import type { PayloadReader } from "./payload.ts";
import type { ErrorLog, QueueLogger } from "./queue-log.ts";
import { settlesWithin } from "./unavailable.ts";

/** Does a job. It may be called twice for the same job, and must do no harm then. A rejection repeats the job, three times in all. */
export type JobHandler<N extends JobName> = (payload: JobPayload<N>, signal: AbortSignal) => Promise<void>;

/** A handler for every job of the catalogue: a job without one does not compile. */
export type JobHandlers = { readonly [N in JobName]: JobHandler<N> };

/** A running worker. */
export interface JobWorker {
  /** Sets how many jobs run at a time, at once (throws below 1): more are taken while others run, and with fewer none is stopped. */
  setConcurrency(concurrency: number): void;
  /** From now on no handler is called; those that run go on. A job that was just being taken goes back to the queue. */
  stopTaking(): Promise<void>;
  /** Stops taking, waits `timeoutMs` for the handlers that run, then aborts their signals and waits a second more. Never rejects, never hangs. */
  close(timeoutMs: number): Promise<void>;
}

/** What a worker is made of. */
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

/** How long a job of a version that this process does not know stays away before somebody looks at it again. */
const NEWER_DELAY_MS = 60_000;

/** Between a worker that could not start and its successor. */
const RESTART_DELAY_MS = 1000;

/** After the signal. */
const ABORT_TIMEOUT_MS = 1000;

/** Starts a worker; it takes jobs from now on. */
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
      logger.info({ queue, job }, "job taken over from a worker that went away");
    });
    // On Postgres a worker whose first connection fails never tries another.
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
    // An idle worker is still waiting for a wake-up; the processor gives back what that brings.
    worker.pause(true).catch(onError);
  }

  return {
    setConcurrency: (next) => {
      const grows = next > worker.concurrency;
      worker.concurrency = next;
      concurrency = next;
      if (!grows || stopped) return;
      // BullMQ looks at the number when a job ends. Resuming makes it look now; both run to their effect before anything else does.
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
      logger.warn({ queue }, "worker left behind: handlers still run, or the queue's server is away");
      worker.disconnect().catch(onError);
    },
  };
}

/** Ends a job that belongs in the failed set. */
class ParkedError extends UnrecoverableError {}

function processor<N extends JobName>(options: JobWorkerOptions<N>, isStopped: () => boolean) {
  const { name, handler, readPayload, logger } = options;
  // BullMQ makes a signal only for a function of three parameters.
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
