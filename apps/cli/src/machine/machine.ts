/** The whole service on one machine: Postgres, then API and worker; closed in the reverse order. */
import path from "node:path";
import type { CliConfig } from "../config.ts";
import { openCrew, type Crew } from "./crew.ts";
import { holdDataFolder } from "./data-folder.ts";
import { ensureAdminKey, findApiKey, type ApiKey } from "./keys.ts";
import { assertPortFree } from "./port.ts";
import { endProcesses } from "./processes.ts";
import type { ShowWarning } from "./program-log.ts";
import { isProgramOf } from "./programs.ts";
import { untilReady } from "./ready.ts";
import { readRunning } from "./running-file.ts";
import { supervisePostgres } from "./supervised-postgres.ts";

/** What a predecessor's programs have, who know that it is gone, to record what is in flight. */
const LEFTOVER_PATIENCE_MS = 5_000;

/**
 * What programs may need beyond the grace of their requests and lines. The most has the primary of several workers, whose
 * phases of stopping add up to 32 s: apps/worker/src/processes/primary.ts.
 */
const PROGRAMS_MARGIN_MS = 35_000;

/** What Postgres and the files of the data folder may need after the programs. */
const REST_MARGIN_MS = 15_000;

export interface MachineOptions {
  readonly config: CliConfig;
  /** For the API; 0 takes any free one. */
  readonly port: number;
  /** Abandons the start. */
  readonly signal: AbortSignal;
  readonly show: ShowWarning;
  /** Another supervisor has taken the data folder: this one must stop. */
  readonly onLost: () => void;
}

export interface Machine {
  /** Of the API, without a path. */
  readonly url: string;
  /** Null where the database came with keys that this machine does not know. */
  readonly key: ApiKey | null;
  /** Lets requests and lines in flight finish within the grace, then ends everything. The rest goes on at the next start. */
  readonly stop: () => Promise<void>;
}

type OnClose = (close: () => Promise<void>) => void;

/** The longest that `stop` takes. */
export function longestStopMs(config: CliConfig): number {
  return config.graceMs + PROGRAMS_MARGIN_MS + REST_MARGIN_MS;
}

/** Starts everything and resolves when it takes requests. Rejects with StartupError, nothing left running. */
export async function startMachine(options: MachineOptions): Promise<Machine> {
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

async function openAll(options: MachineOptions, onClose: OnClose): Promise<string> {
  const { config, port, signal, show, onLost } = options;
  const { dataDir, graceMs } = config;
  const folder = await holdDataFolder(dataDir, onLost);
  onClose(folder.release);
  const previous = await readRunning(dataDir);
  await endProcesses(previous?.programs ?? [], isProgramOf(dataDir), LEFTOVER_PATIENCE_MS);
  await assertPortFree(config.host, port);
  const adminKey = await ensureAdminKey(config);

  let crew: Crew | null = null;
  const databaseUrl = await openDatabase(options, onClose, () => crew?.restart());
  crew = await openCrew({
    dataDir,
    env: () => ({
      ...config.serviceEnvironment,
      NIGHTSHIFT_DATA_DIR: dataDir,
      NIGHTSHIFT_ADMIN_KEY: adminKey,
      DATABASE_URL: databaseUrl(),
    }),
    show,
  });
  const { stop } = crew;
  onClose(() => stop(graceMs + PROGRAMS_MARGIN_MS));
  return unlessAborted(signal, () => serve(crew, port, signal));
}

/** Returns how to ask for the URL of the database, which is this machine's own unless one is configured. */
async function openDatabase(
  { config, show }: MachineOptions,
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
async function serve(crew: Crew, port: number, signal: AbortSignal): Promise<string> {
  // Found out at the first start and kept at all others: clients know the address.
  let apiPort = String(port);
  const api = async (): Promise<string> => {
    const url = await crew.start("api", () => ({ PORT: apiPort }));
    apiPort = new URL(url).port;
    await untilReady(url, signal);
    return url;
  };
  const worker = async (): Promise<void> => {
    // Nobody but us asks how it is: it needs no known port, and none open to the network.
    await untilReady(await crew.start("worker", () => ({ PORT: "0", HOST: "127.0.0.1" })), signal);
  };
  const [url] = await Promise.all([api(), worker()]);
  crew.serveAt(url);
  return url;
}

/** Does not wait for work that the signal cannot reach, such as a program that never says that it serves. */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener("abort", () => {
      reject(signal.reason as Error);
    });
  });
  return Promise.race([work(), aborted]);
}
