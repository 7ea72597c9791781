/**
 * BullMQ on Postgres: its schema, and two pools for a process, one for producers and one for workers. BullMQ would open a pool for each queue
 * and each worker; a server has 200 connections for everybody.
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

/** A pool as BullMQ sees one. */
type PoolForBullMQ = Exclude<PostgresConnectionOptions, PostgresPoolConfig | string>;

/** Statements at a time for all queues, or all workers, of a process: four were as fast as twelve. */
const MAX_PRODUCERS = 4;
const MAX_WORKERS = 6;

/** The queue is disposable, so it need not wait for the disk: half as fast again. The schema is BullMQ's fixed name for pools that it is given. */
const SETTINGS = "-c search_path=bullmq -c synchronous_commit=off -c statement_timeout=10000";

/** Creates or migrates BullMQ's schema. */
export async function preparePostgres(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CALL_TIMEOUT_MS });
  // What breaks the connection fails the statement; without a listener it would end the process as well.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query("select pg_advisory_lock(hashtext('nightshift.queue.prepare'))");
    await dropIfLedgerLost(client);
    await runMigrations(client);
  } finally {
    await client.end();
  }
}

/**
 * Somebody who truncates every table of the schema empties the list of applied migrations too; BullMQ would then apply them to tables that
 * exist, and fail at every start. The queue holds nothing that Postgres' other schemas do not know, so it is made anew.
 */
async function dropIfLedgerLost(client: pg.Client): Promise<void> {
  const tables = await client.query(
    "select from pg_tables where schemaname = 'bullmq' and tablename in ('job', 'migration')",
  );
  if (tables.rowCount !== 2) return;
  const applied = await client.query("select from bullmq.migration limit 1");
  if (applied.rowCount === 0) await client.query("drop schema bullmq cascade");
}

/** Opens the pools of a process; they connect when first used. `queues`: how many workers there may be, each of which keeps a connection for LISTEN. */
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
    // BullMQ does not listen to each connection that it holds; one that breaks just then would end the process.
    pool.on("connect", (client) => client.on("error", options.errorLog(source)));
    return pool;
  };
  const producers = open("postgres producers", MAX_PRODUCERS, CALL_TIMEOUT_MS);
  const workers = open("postgres workers", MAX_WORKERS + options.queues, 2 * CALL_TIMEOUT_MS);

  return {
    openQueue: (name) =>
      // The dashboard and BullMQ's own defaults name the class by its Redis form; what differs is the escape hatch to the Redis client.
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

/** Adds our settings to those of the URL, which would hide the pool's own. */
function address(url: string): Pick<pg.PoolConfig, "connectionString" | "options"> {
  if (!URL.canParse(url)) return { connectionString: url, options: SETTINGS };
  const parsed = new URL(url);
  const own = parsed.searchParams.get("options");
  parsed.searchParams.set("options", own === null ? SETTINGS : `${own} ${SETTINGS}`);
  return { connectionString: parsed.href };
}

/**
 * The pool, with each failure that will pass by itself in the one form that BullMQ takes for such: a refused connection, after which it waits
 * and repeats the statement. It would fail a job whose handler had succeeded when the server restarts under its completion or picks it in a
 * deadlock, and would ask again without a pause while the server starts or the schema is gone.
 */
function asSeenByBullMQ(pool: pg.Pool): PoolForBullMQ {
  const view = {
    query: async (text: string, values?: readonly unknown[]) => {
      try {
        return await pool.query(text, values === undefined ? undefined : [...values]);
      } catch (error) {
        throw willPass(error) ? refused(error) : error;
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

/** No SQLSTATE: the connection. Else connection, rollback (deadlock), resources, operator (restart, time-out), and a schema that is gone. */
function willPass(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || /^(08|40|53|57|3F000|42883|42P01)/.test(error.code ?? "");
}

function refused(cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return Object.assign(new Error(reason, { cause }), { code: "ECONNREFUSED" });
}
