/**
 * Redis databases for tests. Each jest worker has its own eight databases, and each database is emptied when a test
 * takes it.
 */
import { Redis } from "ioredis";
import { testServices } from "./test-services.ts";

const PER_WORKER = 8;
const taken = { count: 0 };

/** Returns the URL of an empty Redis database that no other test file uses, or null if this machine lacks Redis. */
export async function takeRedisDatabase(): Promise<string | null> {
  const { redisUrl } = testServices();
  if (redisUrl === null) return null;
  const worker = Number(process.env["JEST_WORKER_ID"] ?? 1);
  const url = new URL(redisUrl);
  url.pathname = `/${String(worker * PER_WORKER + (taken.count++ % PER_WORKER))}`;
  await onRedis(url.href, (redis) => redis.flushdb());
  return url.href;
}

/** Runs `work` with its own connection. */
export async function onRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 });
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** Returns the memory that the test server uses for all its databases, in bytes (`used_memory`). */
export async function redisUsedBytes(): Promise<number> {
  const { redisUrl } = testServices();
  if (redisUrl === null) throw new Error("There is no Redis here.");
  const info = await onRedis(redisUrl, (redis) => redis.info("memory"));
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
}
