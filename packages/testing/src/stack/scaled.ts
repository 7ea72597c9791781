/** The scaled profile: several APIs and workers on Postgres, Redis and S3, all started at once on empty stores. */
import { randomBytes } from "node:crypto";
import path from "node:path";
import { createDatabase } from "../database.ts";
import { freePort } from "../free-port.ts";
import { takeRedisDatabase } from "../redis-database.ts";
import { testServices } from "../test-services.ts";
import type { ProfilePlan, Program } from "./profile.ts";

/** The number of processes of each kind. */
export interface ScaledSize {
  readonly apis: number;
  readonly workers: number;
}

/** Plans a scaled stack with its own database, Redis database and bucket. Throws if Redis or S3 is missing. */
export async function planScaled(
  folder: string,
  env: Readonly<Record<string, string>>,
  size: ScaledSize,
): Promise<ProfilePlan> {
  const { s3 } = testServices();
  const redisUrl = await takeRedisDatabase();
  if (s3 === null || redisUrl === null) throw new Error("The scaled profile needs Redis and S3.");
  const databaseUrl = await createDatabase({ migrated: false });
  const key = `sk-nightshift-${randomBytes(32).toString("base64url")}`;
  const adminKey = randomBytes(16).toString("hex");
  const variables = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    S3_ENDPOINT: s3.endpoint,
    S3_REGION: s3.region,
    S3_BUCKET: `nightshift-test-${randomBytes(6).toString("hex")}`,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    NIGHTSHIFT_DATA_DIR: path.join(folder, "data"),
    NIGHTSHIFT_BOOTSTRAP_KEY: key,
    NIGHTSHIFT_ADMIN_KEY: adminKey,
    ...env,
  };
  const firstPort = await freePort();
  const otherPorts = await Promise.all(Array.from({ length: size.apis - 1 }, () => freePort()));
  const urlOf = (port: number): string => `http://127.0.0.1:${String(port)}`;
  const apis = [firstPort, ...otherPorts].map((port, index): Program => {
    const name = `api-${String(index + 1)}`;
    return { name, main: "apps/api/dist/main.js", args: [], variables: { ...variables, PORT: String(port) } };
  });
  const workers = Array.from({ length: size.workers }, (_, index): Program => {
    const name = `worker-${String(index + 1)}`;
    return { name, main: "apps/worker/dist/main.js", args: [], variables: { ...variables, PORT: "0" } };
  });
  return {
    programs: [...apis, ...workers],
    urls: [urlOf(firstPort), ...otherPorts.map(urlOf)],
    readKeys: () => Promise.resolve({ key, adminKey }),
    databaseUrl,
    redisUrl,
  };
}
