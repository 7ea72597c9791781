/** Finds or starts Redis for a test run: TEST_REDIS_URL, an installed `redis-server`, or a container. */
import { rm } from "node:fs/promises";
import { Redis } from "ioredis";
import { makeTemporaryFolder } from "../temporary-folder.ts";
import { findBinary, startBinary } from "./binary.ts";
import { isDurable, type MissingService, type RunningService } from "./service.ts";

/** Starts Redis, or reports what is not tested without it. */
export async function startRedis(): Promise<RunningService | MissingService> {
  const given = process.env["TEST_REDIS_URL"];
  if (given) return { variables: { TEST_REDIS_URL: given }, stop: () => Promise.resolve() };
  const file = await findBinary("redis-server");
  if (file !== null) {
    const folder = await makeTemporaryFolder("redis");
    const server = await startBinary({ file, args: (port) => redisArguments(port, folder), isReady: answersPing });
    return {
      variables: { TEST_REDIS_URL: `redis://127.0.0.1:${String(server.port)}` },
      stop: async () => {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  }
  const containers = await import("./containers.ts");
  if (await containers.hasContainers()) {
    const container = await containers.startRedisContainer();
    return { variables: { TEST_REDIS_URL: container.url }, stop: container.stop };
  }
  return { missing: "Redis and with it the scaled-out profile (apt-get install redis-server, or set TEST_REDIS_URL)." };
}

function redisArguments(port: number, folder: string): string[] {
  const listen = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder];
  const files = ["--save", "", "--appendonly", isDurable() ? "yes" : "no"];
  // Each jest worker and each stack uses its own databases.
  return [...listen, ...files, "--maxmemory-policy", "noeviction", "--databases", "256"];
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
