/** Starts servers in containers, which are used only if the servers are not installed. */
import { RedisContainer } from "@testcontainers/redis";
import { MinioContainer } from "@testcontainers/minio";
import { getContainerRuntimeClient } from "testcontainers";

/** A server in a container. */
export interface RunningContainer {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Returns true if this machine can start containers. */
export async function hasContainers(): Promise<boolean> {
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

/** Starts Redis as Nightshift needs it, without eviction. */
export async function startRedisContainer(): Promise<RunningContainer> {
  const container = await new RedisContainer("redis:7-alpine")
    .withCommand(["redis-server", "--save", "", "--maxmemory-policy", "noeviction", "--databases", "256"])
    .start();
  return {
    url: container.getConnectionUrl(),
    stop: async () => {
      await container.stop();
    },
  };
}

/** Starts MinIO with the keys minioadmin / minioadmin. */
export async function startMinioContainer(): Promise<RunningContainer> {
  const container = await new MinioContainer(
    "quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z.hotfix.7aa24e772",
  ).start();
  return {
    url: `http://${container.getHost()}:${String(container.getPort())}`,
    stop: async () => {
      await container.stop();
    },
  };
}
