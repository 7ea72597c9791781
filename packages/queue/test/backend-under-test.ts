/** Opens an empty backend of each kind for a test file, with ways to wipe and disconnect it. */
import { createDatabase, testServices, truncate } from "@nightshift/testing";
import { Redis } from "ioredis";
import pg from "pg";
import { prepareQueueBackend, type QueueBackend } from "../src/index.ts";

/** A backend that only one test file uses. */
export interface BackendUnderTest {
  readonly backend: QueueBackend;
  /** The same backend under another URL. */
  at(url: string): QueueBackend;
  /** Empties the backend: FLUSHDB, or TRUNCATE of every table. */
  wipe(): Promise<void>;
  /** Removes the jobs of a queue, but not the keys or rows that refer to them. */
  loseJobs(queue: string): Promise<void>;
  /** Ends every connection from the server's side, as a restart does. */
  disconnectAll(): Promise<void>;
  close(): Promise<void>;
}

/** Opens the Postgres backend in a new database. */
export async function openPostgresUnderTest(): Promise<BackendUnderTest> {
  const url = await createDatabase({ migrated: false });
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await prepareQueueBackend({ kind: "postgres", url });
  return {
    backend: { kind: "postgres", url },
    at: (other) => ({ kind: "postgres", url: other }),
    wipe: async () => {
      const { rows } = await admin.query<{ name: string }>(
        "select format('bullmq.%I', tablename) as name from pg_tables where schemaname = 'bullmq'",
      );
      await truncate(
        rows.map(({ name }) => name),
        (text) => admin.query(text),
      );
    },
    loseJobs: async (queue) => {
      await admin.query("delete from bullmq.job where queue = $1", [queue]);
    },
    disconnectAll: async () => {
      await admin.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      );
    },
    close: () => admin.end(),
  };
}

/** The Redis database that these tests empty. Every Redis server has it by default. */
const redisDatabase = 15;

/** The prefix of the queues under test in Redis. */
export const prefix = "queue-test";

/** Opens the Redis backend in an empty database. */
export async function openRedisUnderTest(): Promise<BackendUnderTest> {
  const parsed = new URL(testServices().redisUrl!);
  parsed.pathname = `/${String(redisDatabase)}`;
  const admin = new Redis(parsed.href);
  await admin.flushdb();
  return {
    backend: { kind: "redis", url: parsed.href },
    at: (url) => ({ kind: "redis", url }),
    wipe: async () => {
      await admin.flushdb();
    },
    loseJobs: async (queue) => {
      const keys = await admin.keys(`${prefix}:${queue}:*`);
      await admin.del(keys.filter((key) => !key.includes(":de:")));
    },
    disconnectAll: async () => {
      await admin.client("KILL", "TYPE", "normal", "SKIPME", "yes");
    },
    close: async () => {
      await admin.flushdb();
      admin.disconnect();
    },
  };
}
