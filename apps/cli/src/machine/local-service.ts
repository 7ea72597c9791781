/** Runs the whole service on one machine: starts Postgres, then API and worker, and stops them in reverse order. */
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { StartupError } from "@nightshift/service";
import type { CliConfig } from "../config.ts";
import { openProgramGroup, type ProgramGroup } from "./program-group.ts";
import { lockDataFolder } from "./data-folder.ts";
import { ensureAdminKey, findApiKey, type ApiKey } from "./keys.ts";
import { assertPortFree } from "./port.ts";
import { endProcesses } from "./processes.ts";
import type { ShowWarning } from "./program-log.ts";
import { isProgramOf } from "./programs.ts";
import { readRunning } from "./running-file.ts";
import { supervisePostgres } from "./supervised-postgres.ts";

/** The time that leftover programs of a dead supervisor have to record the lines in flight. */
const LEFTOVER_PATIENCE_MS = 5_000;

/**
 * The time that a program may take to stop after its grace period. The primary process of several workers takes
 * longest: its shutdown phases add up to 32 s (apps/worker/src/processes/primary.ts).
 */
const PROGRAMS_MARGIN_MS = 35_000;

/** The time that Postgres and the files of the data folder may take to close after the programs have stopped. */
const REST_MARGIN_MS = 15_000;

const READY_POLL_MS = 50;
const READY_TIMEOUT_MS = 60_000;
const REQUEST_TIMEOUT_MS = 5_000;

export interface LocalServiceOptions {
  readonly config: CliConfig;
  /** The port of the API. 0 takes any free port. */
  readonly port: number;
  /** Aborts the start. */
  readonly signal: AbortSignal;
  readonly show: ShowWarning;
  /** Called when another supervisor has taken the data folder. This one must stop. */
  readonly onLost: () => void;
}

export interface LocalService {
  /** The URL of the API, without a path. */
  readonly url: string;
  /** Null if the database already had keys that this machine does not know. */
  readonly key: ApiKey | null;
  /**
   * Lets requests and lines in flight finish within the grace period, then stops everything. Batches continue later.
   */
  readonly stop: () => Promise<void>;
}

type OnClose = (close: () => Promise<void>) => void;

/** Returns the longest time that `stop` takes. */
export function longestStopMs(config: CliConfig): number {
  return config.graceMs + PROGRAMS_MARGIN_MS + REST_MARGIN_MS;
}

/** Starts everything and resolves when the API accepts requests. On a StartupError, no process is left running. */
export async function startLocalService(options: LocalServiceOptions): Promise<LocalService> {
  const closers: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  };
  try {
    const url = await openAll(options, (close) => closers.push(close));
    return { url, key: await findApiKey(options.config), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openAll(options: LocalServiceOptions, onClose: OnClose): Promise<string> {
  const { config, port, signal, show, onLost } = options;
  const { dataDir, graceMs } = config;
  const folder = await lockDataFolder(dataDir, onLost);
  onClose(folder.release);
  const previous = await readRunning(dataDir);
  await endProcesses(previous?.programs ?? [], isProgramOf(dataDir), LEFTOVER_PATIENCE_MS);
  await assertPortFree(config.host, port);
  const adminKey = await ensureAdminKey(config);

  let programs: ProgramGroup | null = null;
  const databaseUrl = await openDatabase(options, onClose, () => programs?.restart());
  programs = await openProgramGroup({
    dataDir,
    env: () => ({
      ...config.serviceEnvironment,
      NIGHTSHIFT_DATA_DIR: dataDir,
      NIGHTSHIFT_ADMIN_KEY: adminKey,
      DATABASE_URL: databaseUrl(),
    }),
    show,
  });
  const { stop } = programs;
  onClose(() => stop(graceMs + PROGRAMS_MARGIN_MS));
  return unlessAborted(signal, () => serve(programs, port, signal));
}

/**
 * Starts this machine's Postgres unless a database is configured. Resolves with a function that returns the current URL
 * of the database.
 */
async function openDatabase(
  { config, show }: LocalServiceOptions,
  onClose: OnClose,
  onMoved: () => void,
): Promise<() => string> {
  const { databaseUrl } = config;
  if (databaseUrl !== null) return () => databaseUrl;
  const postgres = await supervisePostgres({
    dir: path.join(config.dataDir, "postgres"),
    env: config.plainEnvironment,
    onEnd: (message) => {
      show("postgres", "error", message);
    },
    onMoved,
  });
  onClose(() => postgres.stop());
  return () => postgres.url();
}

/** Starts the programs and resolves with the API's URL once both are ready. */
async function serve(programs: ProgramGroup, port: number, signal: AbortSignal): Promise<string> {
  // With PORT=0 the first start chooses the port. Later starts keep it, because clients know the address.
  let apiPort = String(port);
  const api = async (): Promise<string> => {
    const url = await programs.start("api", () => ({ PORT: apiPort }));
    apiPort = new URL(url).port;
    await untilReady(url, signal);
    return url;
  };
  const worker = async (): Promise<void> => {
    // Only this process calls the worker, so any port on loopback will do.
    await untilReady(await programs.start("worker", () => ({ PORT: "0", HOST: "127.0.0.1" })), signal);
  };
  const [url] = await Promise.all([api(), worker()]);
  programs.serveAt(url);
  return url;
}

/** Rejects when the signal aborts, even if `work` ignores the signal: a program may never report that it is ready. */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => {
      reject(signal.reason as Error);
    });
  });
  return Promise.race([work(), aborted]);
}

/** Resolves when `url`/readyz returns 200. Rejects with its last reply after 60 s, and when `signal` aborts. */
async function untilReady(url: string, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const fault = await findReadinessFault(url);
    signal.throwIfAborted();
    if (fault === null) return;
    if (performance.now() > deadline)
      throw new StartupError(
        `${url}/readyz did not become ready within ${String(READY_TIMEOUT_MS / 1_000)} s: ${fault}`,
      );
    await delay(READY_POLL_MS, undefined, { signal });
  }
}

/** Resolves with null if the service is ready, otherwise with the reason. */
async function findReadinessFault(url: string): Promise<string | null> {
  try {
    const reply = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    const body = await reply.text();
    return reply.ok ? null : body;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
