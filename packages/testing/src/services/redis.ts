/** Redis for a test run: the one named in TEST_REDIS_URL, the machine's `redis-server`, or a container. */
import { Redis } from "ioredis";
import { findBinary, startBinary } from "./binary.ts";
import type { MissingService, RunningService } from "./service.ts";

/** Starts Redis, without files, or says what goes untested without it. */
export async function startRedis(): Promise<RunningService | MissingService> {
  const given = process.env["TEST_REDIS_URL"];
  if (given) return { variables: { TEST_REDIS_URL: given }, stop: () => Promise.resolve() };
  const file = await findBinary("redis-server");
  if (file !== null) {
    const server = await startBinary({ file, args: redisArguments, isReady: answersPing });
    return { variables: { TEST_REDIS_URL: `redis://127.0.0.1:${String(server.port)}` }, stop: server.stop };
  }
  const containers = await import("./containers.ts");
  if (await containers.hasContainers()) {
    const container = await containers.startRedisContainer();
    return { variables: { TEST_REDIS_URL: container.url }, stop: container.stop };
  }
  return { missing: "Redis and with it the scaled-out profile (apt-get install redis-server, or set TEST_REDIS_URL)." };
}

function redisArguments(port: number): string[] {
  const listen = ["--bind", "127.0.0.1", "--port", String(port)];
  // Each worker of jest and each stack takes databases of its own.
  return [...listen, "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--databases", "256"];
}

async function answersPing(port: number): Promise<boolean> {
  const redis = new Redis({
    host: "127.0.0.1",
    port,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  redis.on("error", () => undefined); // reported by the rejection below
  try {
    await redis.connect();
    await redis.ping();
    return true;
  } finally {
    redis.disconnect();
  }
}
