/** The queues of a process: adding to them, working on them, looking at them. The queue only moves work; what is true stands in Postgres. */
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

/** A slice of the ledger that is due. `bulk`: of a batch that yields to small ones. */
export interface SliceToRun {
  readonly sliceNo: number;
  readonly gen: number;
  readonly isBulk: boolean;
}

/** How a worker works. `upstream` is for `slice.run`, whose queue it names. */
export interface WorkOptions {
  /** Jobs at a time, 1 or more. */
  readonly concurrency: number;
  readonly upstream?: string;
}

/** The queues of a process. Every call to the server takes 5 s at most and rejects with QueueUnavailableError. */
export interface JobQueues {
  /** Adds a job. Nothing happens where the same job waits already; see the catalogue for what is the same. Throws TypeError on a wrong payload. */
  enqueue<N extends Exclude<JobName, "slice.run">>(name: N, payload: JobPayload<N>): Promise<void>;
  /** Adds jobs for slices, in this order; those that have one already keep it. Those of small batches go before bulk. */
  enqueueSlices(upstream: string, slices: readonly SliceToRun[]): Promise<void>;
  /** Starts the worker of a queue; one for each queue and process. Throws when the queue has one or the upstream is unknown. */
  work<N extends JobName>(name: N, handler: JobHandler<N>, options: WorkOptions): JobWorker;
  /** Runs `maintenance.run` every so many milliseconds, across all processes once. To be repeated now and then: a wiped queue has forgotten it. */
  schedule(name: "maintenance.run", everyMs: number): Promise<void>;
  /** The payload of a line's job in the failed set, for the dashboard's retry; null when there is no such job. */
  findFailedLine(jobId: string): Promise<LineFailedPayload | null>;
  /** Takes a line's job out of the failed set, once its retry is recorded in Postgres. Nothing happens where it is gone. */
  removeFailedLine(jobId: string): Promise<void>;
  /** All queues, for bull-board. */
  boards(): Queue[];
  /** Resolves when the queue's server answers. */
  isReady(): Promise<void>;
  /** Closes the workers that are still open, giving their handlers `timeoutMs`, then the connections. Never rejects, never hangs. */
  close(timeoutMs: number): Promise<void>;
}

/** What `openQueues` needs. */
export interface OpenQueuesOptions {
  readonly backend: QueueBackend;
  /** Names of all upstreams: each has a queue. */
  readonly upstreams: readonly string[];
  readonly logger: QueueLogger;
  /** Begins Redis' keys; Postgres has no use for it. */
  readonly prefix?: string;
}

/** A server's restart can fail a job whose handler succeeded; a handler's own failure is repeated at once, for what must wait waits in the ledger. */
const ATTEMPTS = 3;

/** Jobs in one statement. */
const JOBS_PER_CALL = 500;

/** How long the connections may take to close. */
const CLOSE_TIMEOUT_MS = 1000;

/** Opens the queues and waits until the server answers; rejects with QueueUnavailableError after 5 s, with nothing left open. */
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
      throw new Error(`there is no queue ${name}: its upstream was not named when the queues were opened`);
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
      if (workers.has(queue)) throw new Error(`the queue ${queue} has its worker`);
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
