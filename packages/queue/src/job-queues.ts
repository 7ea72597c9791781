/** The queues of a process: adds, runs and reads jobs. The queue only moves work; the truth is in Postgres. */
import type { Queue } from "bullmq";
import { openConnections, type QueueBackend } from "./backend.ts";
import { type QueueConnections } from "./connections.ts";
import {
  allQueues,
  catalogue,
  queueOf,
  slicesQueue,
  type JobName,
  type JobPayload,
  type LineFailedPayload,
} from "./catalogue.ts";
import { startJobWorker, type JobHandler, type JobWorker } from "./job-worker.ts";
import { createPayloadReader, type PayloadReader } from "./payload.ts";
import { createErrorLog, type ErrorLog, type QueueLogger } from "./queue-log.ts";
import { callQueue, settlesWithin } from "./unavailable.ts";

/** A slice that is due. `isBulk` is false for small batches, which go first. */
export interface SliceToRun {
  readonly sliceNo: number;
  readonly gen: number;
  readonly isBulk: boolean;
}

/** The options of a worker. `slice.run` needs `upstream`, which names its queue. */
export interface WorkOptions {
  /** The number of jobs that run at the same time, 1 or more. */
  readonly concurrency: number;
  readonly upstream?: string;
}

/**
 * The queues of a process. A call to the server takes at most 5 s. A call that fails rejects with
 * QueueUnavailableError.
 */
export interface JobQueues {
  /** Adds a job unless the same job waits already (see the catalogue). Throws TypeError for an invalid payload. */
  enqueue<N extends Exclude<JobName, "slice.run">>(name: N, payload: JobPayload<N>): Promise<void>;
  /** Adds jobs for slices in the given order. A slice that has a job keeps it. Small batches go before bulk batches. */
  enqueueSlices(upstream: string, slices: readonly SliceToRun[]): Promise<void>;
  /** Starts the worker of a queue. Throws if this process already has that worker, or if the upstream is unknown. */
  work<N extends JobName>(name: N, handler: JobHandler<N>, options: WorkOptions): JobWorker;
  /**
   * Schedules `maintenance.run` at this interval, with one schedule for all processes. Call it again from time to time,
   * because a wiped queue forgets the schedule.
   */
  schedule(name: "maintenance.run", everyMs: number): Promise<void>;
  /** Returns the payload of a line's job in the failed set, for the dashboard's retry, or null if it does not exist. */
  findFailedLine(jobId: string): Promise<LineFailedPayload | null>;
  /** Removes a line's job from the failed set once its retry is in Postgres. Does nothing if the job is gone. */
  removeFailedLine(jobId: string): Promise<void>;
  /** Returns all queues, for bull-board. */
  boards(): Queue[];
  /** Resolves when the queue's server answers. */
  isReady(): Promise<void>;
  /**
   * Closes the open workers, whose handlers get `timeoutMs` to end, and then the connections. Never rejects or hangs.
   */
  close(timeoutMs: number): Promise<void>;
}

/** The options of `openQueues`. */
export interface OpenQueuesOptions {
  readonly backend: QueueBackend;
  /** The names of all upstreams. Each has a queue. */
  readonly upstreams: readonly string[];
  readonly logger: QueueLogger;
  /** The prefix of Redis' keys. Postgres does not use it. */
  readonly prefix?: string;
}

/**
 * A restart of the server can fail a job whose handler succeeded, so each job has more than one attempt. There is no
 * backoff here: work that must wait has a `not_before` in Postgres.
 */
const ATTEMPTS = 3;

/** The maximum number of jobs in one call. */
const JOBS_PER_CALL = 500;

/** How long the connections may take to close. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * Opens the queues and waits until the server answers. After 5 s it closes everything and rejects with
 * QueueUnavailableError.
 */
export async function openQueues(options: OpenQueuesOptions): Promise<JobQueues> {
  const errorLog = createErrorLog(options.logger);
  const names = allQueues(options.upstreams);
  const connections = openConnections(options.backend, {
    prefix: options.prefix ?? "nightshift",
    queues: names.length,
    errorLog,
  });
  const queues = new Map(
    names.map((name) => {
      const queue = connections.openQueue(name);
      queue.on("error", errorLog(`queue ${name}`));
      return [name, queue] as const;
    }),
  );
  const opened = createJobQueues({
    connections,
    queues,
    logger: options.logger,
    errorLog,
    readPayload: createPayloadReader(),
  });
  try {
    await callQueue("open", () => Promise.all([...queues.values()].map((queue) => queue.waitUntilReady())));
  } catch (error) {
    await opened.close(0);
    throw error;
  }
  return opened;
}

interface Parts {
  readonly connections: QueueConnections;
  readonly queues: ReadonlyMap<string, Queue>;
  readonly logger: QueueLogger;
  readonly errorLog: ErrorLog;
  readonly readPayload: PayloadReader;
}

function createJobQueues(parts: Parts): JobQueues {
  const { queues, readPayload } = parts;
  const workers = new Map<string, JobWorker>();

  const queueNamed = (name: string): Queue => {
    const queue = queues.get(name);
    if (queue === undefined)
      throw new Error(`unknown queue ${name}: its upstream was not among the options of openQueues`);
    return queue;
  };
  const checked = <N extends JobName>(name: N, payload: JobPayload<N>): JobPayload<N> => {
    const read = readPayload(name, payload);
    if (read.kind !== "ok")
      throw new TypeError(`payload: ${read.kind === "invalid" ? read.faults : "unknown version"}`);
    return read.payload;
  };
  const failedLine = async (jobId: string) => {
    const job = await callQueue("read a failed line", () => queueNamed("failed-lines").getJob(jobId));
    return job === undefined ? null : { job, read: readPayload("line.failed", job.data) };
  };

  return {
    enqueue: async (name, payload) => {
      const data = checked(name, payload);
      const queue = queueNamed(queueOf(name));
      await callQueue(`add ${name}`, () =>
        queue.add(name, data, { attempts: ATTEMPTS, ...catalogue[name].identity(data) }),
      );
    },
    enqueueSlices: async (upstream, slices) => {
      const queue = queueNamed(slicesQueue(upstream));
      const jobs = slices.map(({ sliceNo, gen, isBulk }) => {
        const data = checked("slice.run", { v: 1, slice_no: sliceNo, gen });
        const opts = {
          attempts: ATTEMPTS,
          ...catalogue["slice.run"].identity(data),
          ...(isBulk ? { priority: 1 } : {}),
        };
        return { name: "slice.run", data, opts };
      });
      for (let from = 0; from < jobs.length; from += JOBS_PER_CALL) {
        await callQueue("add slice.run", () => queue.addBulk(jobs.slice(from, from + JOBS_PER_CALL)));
      }
    },
    work: (name, handler, { concurrency, upstream }) => {
      const queue = queueOf(name, upstream);
      queueNamed(queue);
      if (workers.has(queue)) throw new Error(`the queue ${queue} already has a worker`);
      const worker = startJobWorker({ ...parts, name, queue, handler, concurrency });
      workers.set(queue, worker);
      return worker;
    },
    schedule: async (name, everyMs) => {
      const template = { name, data: checked(name, { v: 1 }), opts: { attempts: ATTEMPTS } };
      await callQueue(`schedule ${name}`, () =>
        queueNamed("maintenance").upsertJobScheduler(name, { every: everyMs }, template),
      );
    },
    findFailedLine: async (jobId) => {
      const found = await failedLine(jobId);
      return found?.read.kind === "ok" ? found.read.payload : null;
    },
    removeFailedLine: async (jobId) => {
      const found = await failedLine(jobId);
      if (found !== null) await callQueue("remove a failed line", () => found.job.remove());
    },
    boards: () => [...queues.values()],
    isReady: async () => {
      await callQueue("answer", () => queueNamed("batches").getWaitingCount());
    },
    close: async (timeoutMs) => {
      await Promise.all([...workers.values()].map((worker) => worker.close(timeoutMs)));
      await settlesWithin(CLOSE_TIMEOUT_MS, Promise.all([...queues.values()].map((queue) => queue.close())));
      await settlesWithin(CLOSE_TIMEOUT_MS, parts.connections.end());
    },
  };
}
