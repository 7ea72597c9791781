/**
 * BullMQ on Postgres: its schema, and two connection pools for a process, one for producers and one for workers. By
 * default BullMQ opens a pool for each queue and each worker, while the local Postgres has 200 connections for all
 * processes.
 */
import {
  Queue,
  Worker,
  createPostgresBackend,
  runMigrations,
  type PostgresConnectionOptions,
  type PostgresPoolConfig,
} from "bullmq";
import pg from "pg";
import { KEPT_EVENTS, WORKER_TIMING, type QueueConnections } from "./connections.ts";
import type { ErrorLog } from "./queue-log.ts";
import { CALL_TIMEOUT_MS } from "./unavailable.ts";

/** The pool type that BullMQ accepts. */
type PoolForBullMQ = Exclude<PostgresConnectionOptions, PostgresPoolConfig | string>;

/**
 * The maximum number of concurrent statements for all queues, and for all workers, of a process. Four were as fast as
 * twelve.
 */
const MAX_PRODUCERS = 4;
const MAX_WORKERS = 6;

/**
 * The queue is disposable, so commits do not wait for the disk, which makes them 1.5 times as fast. BullMQ always uses
 * the schema `bullmq` for a pool that it is given.
 */
const SETTINGS = "-c search_path=bullmq -c synchronous_commit=off -c statement_timeout=10000";

/** Creates or migrates BullMQ's schema. */
export async function preparePostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CALL_TIMEOUT_MS });
  // A broken connection fails the statement. Without a listener the error would also end the process.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query("select pg_advisory_lock(hashtext('nightshift.queue.prepare'))");
    await dropIfMigrationsLost(client);
    await runMigrations(client);
  } finally {
    await client.end();
  }
}

/**
 * Truncating every table of the schema also empties the list of applied migrations. BullMQ would then apply them to
 * existing tables and fail at every start. The queue can be rebuilt from the other schemas, so the schema `bullmq` is
 * dropped and created again.
 */
async function dropIfMigrationsLost(client: pg.Client): Promise<void> {
  const tables = await client.query(
    "select from pg_tables where schemaname = 'bullmq' and tablename in ('job', 'migration')",
  );
  if (tables.rowCount !== 2) return;
  const applied = await client.query("select from bullmq.migration limit 1");
  if (applied.rowCount === 0) await client.query("drop schema bullmq cascade");
}

/**
 * Opens the pools of a process, which connect when first used. `queues` is the maximum number of workers, because each
 * worker keeps a connection for LISTEN.
 */
export function openPostgres(
  url: string,
  options: { readonly queues: number; readonly errorLog: ErrorLog },
): QueueConnections {
  const open = (source: string, max: number, queryTimeoutMs: number): pg.Pool => {
    const pool = new pg.Pool({
      ...address(url),
      max,
      application_name: "nightshift-queue",
      connectionTimeoutMillis: CALL_TIMEOUT_MS,
      query_timeout: queryTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    pool.setMaxListeners(0);
    pool.on("error", options.errorLog(source));
    // BullMQ does not listen for errors on every connection that it holds. Without this listener, a break ends the
    // process.
    pool.on("connect", (client) => client.on("error", options.errorLog(source)));
    return pool;
  };
  const producers = open("postgres producers", MAX_PRODUCERS, CALL_TIMEOUT_MS);
  const workers = open("postgres workers", MAX_WORKERS + options.queues, 2 * CALL_TIMEOUT_MS);

  return {
    openQueue: (name) =>
      // The dashboard expects the Redis type of Queue. The two types differ only in access to the raw Redis client.
      new Queue(
        name,
        { connection: asSeenByBullMQ(producers), streams: { events: { maxLen: KEPT_EVENTS } } },
        createPostgresBackend,
      ) as unknown as Queue,
    openWorker: (name, processor, { concurrency, keptFailed }) =>
      new Worker(
        name,
        processor,
        {
          ...WORKER_TIMING,
          connection: asSeenByBullMQ(workers),
          concurrency,
          removeOnComplete: { count: 0 },
          removeOnFail: { count: keptFailed },
        },
        createPostgresBackend,
      ) as unknown as Worker<unknown>,
    end: async () => {
      await Promise.all([producers.end(), workers.end()]);
    },
  };
}

/** Adds SETTINGS to the URL's `options`, which would otherwise hide them. */
function address(url: string): Pick<pg.PoolConfig, "connectionString" | "options"> {
  if (!URL.canParse(url)) return { connectionString: url, options: SETTINGS };
  const parsed = new URL(url);
  const own = parsed.searchParams.get("options");
  parsed.searchParams.set("options", own === null ? SETTINGS : `${own} ${SETTINGS}`);
  return { connectionString: parsed.href };
}

/**
 * Wraps the pool so that every transient failure looks like a refused connection, the only failure after which BullMQ
 * waits and repeats the statement. Without this, a restart or a deadlock during a job's completion would fail a job
 * whose handler succeeded, and BullMQ would retry without a pause while the server starts or the schema is missing.
 */
function asSeenByBullMQ(pool: pg.Pool): PoolForBullMQ {
  const view = {
    query: async (text: string, values?: readonly unknown[]) => {
      try {
        return await pool.query(text, values === undefined ? undefined : [...values]);
      } catch (error) {
        throw isTransient(error) ? refused(error) : error;
      }
    },
    connect: () => pool.connect(),
    end: () => pool.end(),
    on: (event: "error", listener: (error: Error) => void) => {
      pool.on(event, listener);
      return view;
    },
  };
  return view as unknown as PoolForBullMQ;
}

/**
 * Returns true if a failure is transient: any failure without a SQLSTATE (the connection), any failure of the classes
 * connection, rollback (deadlock), resources and operator intervention (restart, timeout), and a missing schema.
 */
function isTransient(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || /^(08|40|53|57|3F000|42883|42P01)/.test(error.code ?? "");
}

function refused(cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return Object.assign(new Error(reason, { cause }), { code: "ECONNREFUSED" });
}
