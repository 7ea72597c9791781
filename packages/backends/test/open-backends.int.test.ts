import { afterEach, expect, jest, test } from "@jest/globals";
import { createLogger, StartupError } from "@nightshift/service";
import { createDatabase, makeTemporaryFolder, testServices } from "@nightshift/testing";
import { randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { openBackends, type OpenBackendsOptions, type Backends } from "../src/open-backends.ts";
import type { BackendsConfig } from "../src/variables.ts";

// A call to an unavailable queue fails after 5 s.
jest.setTimeout(60_000);

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (let last = open.pop(); last !== undefined; last = open.pop()) await last.close();
});

const options: OpenBackendsOptions = {
  upstreams: ["default"],
  logger: createLogger({ name: "test", level: "silent" }),
};

/** Returns the configuration of a single machine, with an empty database and an empty folder. */
async function oneMachine(overrides: Partial<BackendsConfig> = {}): Promise<BackendsConfig> {
  const folder = await makeTemporaryFolder("backends");
  open.push({ close: () => rm(folder, { recursive: true, force: true }) });
  return {
    DATABASE_URL: await createDatabase({ migrated: false }),
    S3_REGION: "us-east-1",
    S3_SERVER_COPY: true,
    NIGHTSHIFT_DATA_DIR: path.join(folder, "data"),
    ...overrides,
  };
}

async function openFor(config: BackendsConfig): Promise<Backends> {
  const backends = await openBackends(config, options);
  open.push(backends);
  return backends;
}

async function expectAllWork(backends: Backends): Promise<void> {
  for (const check of Object.values(backends.checks)) await check();
  await backends.queues.enqueue("batch.advance", { v: 1, batch_no: 1 });
  await backends.objects.put("it/works", Buffer.from("x"));
  const { rows } = await backends.db.query<{ count: number }>("select count(*) as count from batches");
  expect(rows).toEqual([{ count: 0 }]);
  expect((await backends.objects.read("it/works")).toString()).toBe("x");
}

test("with only a database, everything is in it and in the data folder", async () => {
  const config = await oneMachine();

  const backends = await openFor(config);

  await expectAllWork(backends);
  expect(await readdir(path.join(config.NIGHTSHIFT_DATA_DIR, "objects", "it"))).toEqual(["works"]);
  const { rows } = await backends.db.query("select 1 from bullmq.job where queue = 'batches'");
  expect(rows).toHaveLength(1);
});

test("processes that start at the same time on an empty database all open their backends", async () => {
  const config = await oneMachine();

  const started = await Promise.all([openFor(config), openFor(config), openFor(config)]);

  for (const backends of started) for (const check of Object.values(backends.checks)) await check();
  expect(started).toHaveLength(3);
});

const { redisUrl, s3 } = testServices();

if (redisUrl === null) {
  test("skipped: no Redis server found", () => {
    expect(redisUrl).toBeNull();
  });
} else {
  test("REDIS_URL moves only the queue", async () => {
    const config = await oneMachine({ REDIS_URL: redisUrl });

    const backends = await openFor(config);

    await expectAllWork(backends);
    const { rows } = await backends.db.query("select 1 from pg_namespace where nspname = 'bullmq'");
    expect(rows).toEqual([]);
    expect(await readdir(path.join(config.NIGHTSHIFT_DATA_DIR, "objects", "it"))).toEqual(["works"]);
  });
}

if (s3 === null) {
  test("skipped: no S3 server found", () => {
    expect(s3).toBeNull();
  });
} else {
  test("S3_BUCKET moves only the objects", async () => {
    const config = await oneMachine({
      S3_ENDPOINT: s3.endpoint,
      S3_BUCKET: `backends-${randomUUID()}`,
      S3_REGION: s3.region,
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    });

    const backends = await openFor(config);

    await expectAllWork(backends);
    await expect(readdir(config.NIGHTSHIFT_DATA_DIR)).rejects.toThrow("ENOENT");
    const { rows } = await backends.db.query("select 1 from bullmq.job where queue = 'batches'");
    expect(rows).toHaveLength(1);
  });
}

test("the check of the database fails after the backends are closed", async () => {
  const backends = await openBackends(await oneMachine(), options);

  await backends.close();

  await expect(backends.checks.postgres()).rejects.toThrow();
});

test("rejects with StartupError that names the queue when it stays unavailable", async () => {
  const config = await oneMachine({ REDIS_URL: "redis://127.0.0.1:1" });

  const opened = openBackends(config, { ...options, patienceMs: 0 });

  await expect(opened).rejects.toThrow(StartupError);
  await expect(opened).rejects.toThrow(/^The queue cannot be reached/);
});

test("rejects with StartupError for a database that a newer release has migrated", async () => {
  const config = await oneMachine();
  const { db } = await openFor(config);
  await db.query(
    "insert into migrations (number, name, hash, breaking) values (9999, '9999_from_the_future.sql', '', true)",
  );

  const opened = openBackends(config, options);

  await expect(opened).rejects.toThrow(StartupError);
  await expect(opened).rejects.toThrow("9999_from_the_future.sql");
});
