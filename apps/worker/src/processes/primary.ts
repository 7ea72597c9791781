/**
 * Several worker processes on one machine (WORKER_PROCESSES). This process, the primary, keeps copies of itself running
 * and speaks for all of them: one port for their health and numbers, one signal to end them. Each copy is a worker of its
 * own, with its own id, heartbeat and memory, and ends in order by itself when the primary is gone.
 *
 * Forked as plain children, not by node:cluster: there is no socket to share, and a cluster's workers exit at once,
 * lines in flight or not, when their primary is killed.
 */
import { fork } from "node:child_process";
import express from "express";
import {
  healthRoutes,
  listen,
  Registry,
  superviseProcess,
  type Check,
  type Lifecycle,
  type Logger,
  type SupervisedProcess,
} from "@nightshift/service";
import type { WorkerConfig } from "../config.ts";
import { mergedMetrics } from "./process-metrics.ts";

/** On top of the grace: recording what came in, and the other phases of a worker's end. */
const STOP_MARGIN_MS = 22_000;
const FORCE_MS = 5_000;
const CHECK_TIMEOUT_MS = 5_000;

export interface PrimaryOptions {
  /** The file that is run: this program's main. */
  readonly program: string;
  readonly config: WorkerConfig;
  /** What the copies get as well, but for the variables that are the primary's business. */
  readonly env: NodeJS.ProcessEnv;
  /** Where the simulator runs that answers for want of an upstream. */
  readonly simulatorUrl: string | null;
  readonly life: Lifecycle;
  readonly logger: Logger;
}

/** Resolves when all copies serve; rejects with StartupError when one of them cannot. */
export async function startWorkerProcesses(options: PrimaryOptions): Promise<void> {
  const { config, life } = options;
  const numbers = Array.from({ length: config.WORKER_PROCESSES }, (_, index) => index + 1);
  const copies = new Map<number, SupervisedProcess>();
  const urlOf = (number: number): string | undefined => copies.get(number)?.url();

  const app = express();
  app.disable("x-powered-by");
  app.use(
    healthRoutes({
      checks: Object.fromEntries(numbers.map((number) => [`process ${String(number)}`, askReady(() => urlOf(number))])),
      metrics: {
        contentType: Registry.PROMETHEUS_CONTENT_TYPE,
        metrics: () => mergedMetrics(new Map(numbers.map((number) => [String(number), urlOf(number)]))),
      },
      isDraining: () => life.stopping.aborted,
    }),
  );
  const server = await listen(app, { host: config.HOST, port: config.PORT });
  life.onStop("health server", 2_000, () => server.close(0));

  const patienceMs = config.NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS * 1_000 + STOP_MARGIN_MS;
  life.onStop("worker processes", patienceMs + FORCE_MS, () => stopAll(copies, patienceMs));
  const start = async (number: number): Promise<void> => {
    life.stopping.throwIfAborted();
    const copy = startCopy(options, number);
    copies.set(number, copy);
    await copy.listening;
  };
  // The first alone: what is wrong with stores is then said once, and not by all of them at the same time.
  const [first = 1, ...others] = numbers;
  await start(first);
  await Promise.all(others.map(start));
  life.listening(server.url);
}

function startCopy({ program, env, simulatorUrl, logger }: PrimaryOptions, number: number): SupervisedProcess {
  const own = {
    WORKER_PROCESSES: "1",
    // Only the primary asks a copy how it is.
    HOST: "127.0.0.1",
    PORT: "0",
    ...(simulatorUrl === null ? {} : { SIMULATOR_URL: simulatorUrl }),
  };
  return superviseProcess({
    // The same arguments: by them a process is recognised as one of this data folder's.
    start: () =>
      fork(program, process.argv.slice(2), {
        env: { ...env, ...own },
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      }),
    whyNotServed: () => `Worker process ${String(number)} could not be started; see the lines above.`,
    onPid: () => undefined,
    onEnd: (message) => {
      logger.error({ process: number }, `a worker process ${message}`);
    },
    endByForce: (child) => {
      child.kill("SIGKILL");
    },
  });
}

/** Rejects when one of them did not end in order, so that this shows in the exit code. */
async function stopAll(copies: ReadonlyMap<number, SupervisedProcess>, patienceMs: number): Promise<void> {
  const ends = await Promise.all(
    [...copies].map(async ([number, copy]) => ((await copy.stop(patienceMs)) ? [] : [number])),
  );
  const bad = ends.flat();
  if (bad.length > 0) throw new Error(`worker processes did not end in order: ${bad.join(", ")}`);
}

/** A copy is ready when it says so; while it is down, the primary is not ready. */
function askReady(urlOf: () => string | undefined): Check {
  return async () => {
    const url = urlOf();
    if (url === undefined) throw new Error("is being started");
    const reply = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) });
    const body = await reply.text();
    if (!reply.ok) throw new Error(body);
  };
}
