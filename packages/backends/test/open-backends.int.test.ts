import { afterEach, expect, jest, test } from "@jest/globals";
import { createLogger, StartupError } from "@nightshift/service";
import { createDatabase, makeTemporaryFolder, testServices } from "@nightshift/testing";
import { randomUUID } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { openBackends, type OpenBackendsOptions, type Backends } from "../src/open-backends.ts";
import type { BackendsConfig } from "../src/variables.ts";

// A queue that is away takes its own 5 s to say so.
jest.setTimeout(60_000);

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (let last = open.pop(); last !== undefined; last = open.pop()) await last.close();
});

const options: OpenBackendsOptions = {
  upstreams: ["default"],
  logger: createLogger({ name: "test", level: "silent" }),
};

/** A configuration of one machine, with an empty database and an empty folder of its own. */
async function oneMachine(overrides: Partial<BackendsConfig> = {}): Promise<BackendsConfig> {
  const folder = await makeTemporaryFolder("stores");
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
  const stores = await openBackends(config, options);
  open.push(stores);
  return stores;
}

async function expectAllWork(stores: Backends): Promise<void> {
  for (const check of Object.values(stores.checks)) await check();
  await stores.queues.enqueue("batch.advance", { v: 1, batch_no: 1 });
  await stores.objects.put("it/works", Buffer.from("x"));
  const { rows } = await stores.db.query<{ count: number }>("select count(*) as count from batches");
  expect(rows).toEqual([{ count: 0 }]);
  expect((await stores.objects.read("it/works")).toString()).toBe("x");
}

test("with a database alone, everything lies in it and in the data folder", async () => {
  const config = await oneMachine();

  const stores = await openFor(config);

  await expectAllWork(stores);
  expect(await readdir(path.join(config.NIGHTSHIFT_DATA_DIR, "objects", "it"))).toEqual(["works"]);
  const { rows } = await stores.db.query("select 1 from bullmq.job where queue = 'batches'");
  expect(rows).toHaveLength(1);
});

test("processes that start at the same time on an empty database all get their stores", async () => {
  const config = await oneMachine();

  const started = await Promise.all([openFor(config), openFor(config), openFor(config)]);

  for (const stores of started) for (const check of Object.values(stores.checks)) await check();
  expect(started).toHaveLength(3);
});

const { redisUrl, s3 } = testServices();

if (redisUrl === null) {
  test("left out: there is no Redis here", () => {
    expect(redisUrl).toBeNull();
  });
} else {
  test("REDIS_URL moves the queue and nothing else", async () => {
    const config = await oneMachine({ REDIS_URL: redisUrl });

    const stores = await openFor(config);

    await expectAllWork(stores);
    const { rows } = await stores.db.query("select 1 from pg_namespace where nspname = 'bullmq'");
    expect(rows).toEqual([]);
    expect(await readdir(path.join(config.NIGHTSHIFT_DATA_DIR, "objects", "it"))).toEqual(["works"]);
  });
}

if (s3 === null) {
  test("left out: there is no S3 server here", () => {
    expect(s3).toBeNull();
  });
} else {
  test("S3_BUCKET moves the objects and nothing else", async () => {
    const config = await oneMachine({
      S3_ENDPOINT: s3.endpoint,
      S3_BUCKET: `stores-${randomUUID()}`,
      S3_REGION: s3.region,
      AWS_ACCESS_KEY_ID: s3.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    });

    const stores = await openFor(config);

    await expectAllWork(stores);
    await expect(readdir(config.NIGHTSHIFT_DATA_DIR)).rejects.toThrow("ENOENT");
    const { rows } = await stores.db.query("select 1 from bullmq.job where queue = 'batches'");
    expect(rows).toHaveLength(1);
  });
}

test("closed stores fail the check of the database", async () => {
  const stores = await openBackends(await oneMachine(), options);

  await stores.close();

  await expect(stores.checks.postgres()).rejects.toThrow();
});

test("a queue that stays away is an error for the operator that names it", async () => {
  const config = await oneMachine({ REDIS_URL: "redis://127.0.0.1:1" });

  const opened = openBackends(config, { ...options, patienceMs: 0 });

  await expect(opened).rejects.toThrow(StartupError);
  await expect(opened).rejects.toThrow(/^The queue cannot be reached/);
});

test("a database that a newer release has changed is an error for the operator", async () => {
  const config = await oneMachine();
  const { db } = await openFor(config);
  await db.query(
    "insert into migrations (number, name, hash, breaking) values (9999, '9999_from_the_future.sql', '', true)",
  );

  const opened = openBackends(config, options);

  await expect(opened).rejects.toThrow(StartupError);
  await expect(opened).rejects.toThrow("9999_from_the_future.sql");
});
