/** Counts and deletes the jobs of a stack's queue, on Redis or on Postgres. */
import type { Redis } from "ioredis";
import pg from "pg";
import { onRedis } from "../redis-database.ts";

const DEADLOCK = "40P01";

/** The server that holds a stack's queue. */
export type QueueStore =
  { readonly kind: "redis"; readonly url: string } | { readonly kind: "postgres"; readonly url: string };

/** Counts the jobs of all queues, in any state. */
export async function countJobs(store: QueueStore): Promise<number> {
  if (store.kind === "redis") return onRedis(store.url, countInRedis);
  const [row] = await onPostgres<{ jobs: number }>(store.url, "select count(*)::int as jobs from bullmq.job");
  return row?.jobs ?? 0;
}

/** Removes all jobs, like a loss of Redis or of the rows in BullMQ's schema. */
export async function wipeQueue(store: QueueStore): Promise<void> {
  if (store.kind === "redis") {
    await onRedis(store.url, (redis) => redis.flushdb());
    return;
  }
  const tables = await onPostgres<{ name: string }>(
    store.url,
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'bullmq'",
  );
  await truncate(
    tables.map(({ name }) => name),
    (text) => onPostgres(store.url, text),
  );
}

/** Empties tables that are in use, and retries after a deadlock with a running job. */
export async function truncate(tables: readonly string[], run: (text: string) => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await run(`truncate ${tables.join(", ")}`);
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== DEADLOCK) throw error;
    }
  }
}

/** Runs one statement on its own connection. */
async function onPostgres<Row extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

async function countInRedis(redis: Redis): Promise<number> {
  const queues = (await redis.keys("*:meta")).map((key) => key.slice(0, -"meta".length));
  const counts = queues.flatMap((queue) => [
    ...["wait", "active", "paused"].map((list) => redis.llen(queue + list)),
    ...["prioritized", "delayed", "completed", "failed"].map((set) => redis.zcard(queue + set)),
  ]);
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}
