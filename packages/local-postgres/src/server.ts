/** One run of the Postgres server: its start, its readiness and its end. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { open, readFile, rename, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { spawnAs } from "./account.ts";
import { LocalPostgresError } from "./errors.ts";
import { dataOf, logFileOf, type Home } from "./home.ts";
import { program, type Native } from "./native.ts";

/** This time is long, because replaying the write-ahead log after a crash takes time. */
const READY_TIMEOUT_MS = 300_000;
const RETRY_MS = 25;
/** SQLSTATE cannot_connect_now. */
const STARTING_UP = "57P03";
const STOP_TIMEOUT_MS = 10_000;
const LOG_TAIL_BYTES = 2_000;

export type Settings = Readonly<Record<string, string>>;

/**
 * Settings for a laptop: small buffers, few and spread checkpoints, and full durability. Errors of statements are not
 * logged, because the client reports them and they would put customers' data into the log.
 */
const SETTINGS: Settings = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  shared_buffers: "128MB",
  fsync: "on",
  synchronous_commit: "on",
  max_wal_size: "1GB",
  checkpoint_timeout: "15min",
  wal_level: "minimal",
  max_wal_senders: "0",
  // Parallel plans need /dev/shm, which is small in containers, and do not help our short statements.
  max_parallel_workers_per_gather: "0",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_min_messages: "log",
  log_checkpoints: "off",
};

export interface PostgresServer {
  readonly pid: number;
  /** Resolves with a sentence about how the server ended, whatever the cause. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

/** Spawns the server, which is not ready yet. `settings` override SETTINGS. `env` is by default this process's own. */
export async function spawnServer(
  home: Home,
  native: Native,
  options: { readonly port: number; readonly settings: Settings; readonly env: NodeJS.ProcessEnv | undefined },
): Promise<PostgresServer> {
  await keepLastLog(logFileOf(home.folder));
  const log = await open(logFileOf(home.folder), "a", 0o600);
  const flags = Object.entries({ ...SETTINGS, ...options.settings, port: String(options.port) });
  const child = spawn(
    program(native, "postgres"),
    ["-D", dataOf(home.folder), ...flags.flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    {
      ...spawnAs(home.account),
      cwd: home.folder,
      env: options.env,
      // Starts a new session, so that Ctrl-C in the terminal does not reach Postgres. This process stops Postgres last.
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    },
  );
  const exited = describeExit(child, home);
  try {
    await once(child, "spawn");
  } catch (error) {
    throw new LocalPostgresError(`Postgres could not be started: ${String(error)}`, { cause: error });
  } finally {
    await log.close();
  }
  return { pid: child.pid ?? 0, exited, stop: () => stopServer(child, exited) };
}

/** Resolves once a connection with this URL works. Rejects with LocalPostgresError if the server ends first. */
export async function untilReady(server: PostgresServer, url: string, home: Home): Promise<void> {
  let isOver = false;
  const ended = server.exited.then(async (how) => {
    isOver = true;
    throw new LocalPostgresError(`${how}:\n${await logTail(home)}`);
  });
  const started = performance.now();
  const connects = async (): Promise<void> => {
    for (let error = await tryConnect(url); error !== null; error = await tryConnect(url)) {
      const isRefusal = error instanceof pg.DatabaseError && error.code !== STARTING_UP;
      if (isRefusal || performance.now() - started > READY_TIMEOUT_MS) {
        throw new LocalPostgresError(`Postgres does not accept connections: ${error.message}`, { cause: error });
      }
      await delay(RETRY_MS);
      // The server has ended. `ended` rejects with the reason as soon as it has read the log.
      if (isOver) return ended;
    }
  };
  await Promise.race([connects(), ended]);
}

async function tryConnect(url: string): Promise<Error | null> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // Without a listener, a connection that breaks after the failed attempt would be an unhandled "error" event.
  client.on("error", () => undefined);
  try {
    await client.connect();
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function describeExit(child: ChildProcess, home: Home): Promise<string> {
  const [code, signal] = (await once(child, "exit").catch(() => [null, null])) as [number | null, string | null];
  const how = signal === null ? `with code ${String(code)}` : `by ${signal}`;
  return `Postgres ended ${how}; its log is ${logFileOf(home.folder)}`;
}

async function stopServer(child: ChildProcess, exited: Promise<string>): Promise<void> {
  // SIGINT is Postgres' "fast" shutdown: it ends sessions, writes a checkpoint and exits.
  child.kill("SIGINT");
  const patience = new AbortController();
  const timedOut = delay(STOP_TIMEOUT_MS, true, { signal: patience.signal }).catch(() => false);
  const isLate = await Promise.race([exited.then(() => false), timedOut]);
  patience.abort();
  if (isLate) child.kill("SIGQUIT");
  await exited;
}

async function keepLastLog(file: string): Promise<void> {
  const isThere = await stat(file).then(
    ({ size }) => size > 0,
    () => false,
  );
  if (isThere) await rename(file, `${file}.1`);
}

async function logTail(home: Home): Promise<string> {
  const text = await readFile(logFileOf(home.folder), "utf8").catch(() => "");
  return text.slice(-LOG_TAIL_BYTES).trimEnd();
}
