/** Finds or starts an S3 server for a test run: TEST_S3_ENDPOINT, an installed `minio`, or a container. */
import { rm } from "node:fs/promises";
import { makeTemporaryFolder } from "../temporary-folder.ts";
import { findBinary, startBinary } from "./binary.ts";
import type { MissingService, RunningService } from "./service.ts";

const KEYS = {
  TEST_S3_REGION: "us-east-1",
  TEST_S3_ACCESS_KEY_ID: "minioadmin",
  TEST_S3_SECRET_ACCESS_KEY: "minioadmin",
};

/** Starts MinIO in a temporary folder, or reports what is not tested without it. */
export async function startObjectStore(): Promise<RunningService | MissingService> {
  const given = process.env["TEST_S3_ENDPOINT"];
  if (given) return { variables: { TEST_S3_ENDPOINT: given }, stop: () => Promise.resolve() };
  const file = await findBinary("minio");
  if (file !== null) return startMinio(file);
  const containers = await import("./containers.ts");
  if (await containers.hasContainers()) {
    const container = await containers.startMinioContainer();
    return { variables: { TEST_S3_ENDPOINT: container.url, ...KEYS }, stop: container.stop };
  }
  return {
    missing:
      "S3 and with it the scaled-out profile (GOBIN=~/.cache/nightshift/bin go install github.com/minio/minio@latest, or set TEST_S3_ENDPOINT).",
  };
}

async function startMinio(file: string): Promise<RunningService> {
  const folder = await makeTemporaryFolder("minio");
  const server = await startBinary({
    file,
    args: (port) => [
      "server",
      folder,
      "--quiet",
      "--address",
      `127.0.0.1:${String(port)}`,
      "--console-address",
      "127.0.0.1:0",
    ],
    env: {
      MINIO_ROOT_USER: KEYS.TEST_S3_ACCESS_KEY_ID,
      MINIO_ROOT_PASSWORD: KEYS.TEST_S3_SECRET_ACCESS_KEY,
      MINIO_BROWSER: "off",
    },
    isReady: async (port) => {
      const reply = await fetch(`http://127.0.0.1:${String(port)}/minio/health/ready`, {
        signal: AbortSignal.timeout(1000),
      });
      return reply.ok;
    },
  });
  return {
    variables: { TEST_S3_ENDPOINT: `http://127.0.0.1:${String(server.port)}`, ...KEYS },
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
