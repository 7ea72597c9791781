/**
 * BullMQ on Redis, with ioredis. A process has two connections, and one more for each worker, which waits on it for
 * jobs.
 */
import { Queue, Worker } from "bullmq";
import { Redis, type RedisOptions } from "ioredis";
import { KEPT_EVENTS, WORKER_TIMING, type QueueConnections } from "./connections.ts";
import type { ErrorLog } from "./queue-log.ts";

const SHARED_OPTIONS: RedisOptions = {
  // Retries every half second without end, so that an idle worker is back within 2 s after the server is back.
  retryStrategy: () => 500,
  connectTimeout: 5_000,
  keepAlive: 10_000,
};

/**
 * While the server is unavailable, a producer's commands fail instead of queueing in memory. The reconciler repeats
 * them.
 */
const PRODUCER_OPTIONS: RedisOptions = { ...SHARED_OPTIONS, enableOfflineQueue: false, maxRetriesPerRequest: 0 };

/** A worker's commands wait for the server, as BullMQ requires. */
const WORKER_OPTIONS: RedisOptions = { ...SHARED_OPTIONS, maxRetriesPerRequest: null };

/** Opens the connections of a process. The workers' connection opens with the first worker. */
export function openRedis(
  url: string,
  options: { readonly prefix: string; readonly errorLog: ErrorLog },
): QueueConnections {
  const { prefix, errorLog } = options;
  const open = (source: string, settings: RedisOptions): Redis => {
    const redis = new Redis(url, settings);
    redis.setMaxListeners(0);
    redis.on("error", errorLog(source));
    return redis;
  };
  const producers = open("redis producers", PRODUCER_OPTIONS);
  let workers: Redis | undefined;

  return {
    openQueue: (name) =>
      new Queue(name, { connection: producers, prefix, streams: { events: { maxLen: KEPT_EVENTS } } }),
    openWorker: (name, processor, { concurrency, keptFailed }) => {
      workers ??= open("redis workers", WORKER_OPTIONS);
      return new Worker(name, processor, {
        ...WORKER_TIMING,
        connection: workers,
        prefix,
        concurrency,
        // The value `true` would break BullMQ's script, because it is a worker's option.
        removeOnComplete: { count: 0 },
        removeOnFail: { count: keptFailed },
      });
    },
    end: async () => {
      producers.disconnect();
      workers?.disconnect();
      await Promise.resolve();
    },
  };
}
