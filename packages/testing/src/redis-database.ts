/** Redis databases for tests. Each jest worker has eight of its own, and each is emptied when a test takes it. */
import { Redis } from "ioredis";
import { testServices } from "./test-services.ts";

const PER_WORKER = 8;
const taken = { count: 0 };

/** The address of an empty database of the test server that no other test file uses, or null where there is no Redis. */
export async function takeRedisDatabase(): Promise<string | null> {
  const { redisUrl } = testServices();
  if (redisUrl === null) return null;
  const worker = Number(process.env["JEST_WORKER_ID"] ?? 1);
  const url = new URL(redisUrl);
  url.pathname = `/${String(worker * PER_WORKER + (taken.count++ % PER_WORKER))}`;
  await onRedis(url.href, (redis) => redis.flushdb());
  return url.href;
}

/** Opens a connection for one piece of work. */
export async function onRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 });
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

/** What the test server holds in memory now, in bytes (`used_memory`); all its databases together. */
export async function redisUsedBytes(): Promise<number> {
  const { redisUrl } = testServices();
  if (redisUrl === null) throw new Error("There is no Redis here.");
  const info = await onRedis(redisUrl, (redis) => redis.info("memory"));
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
}
