/**
 * Runs several worker processes on one machine (WORKER_PROCESSES). This process, the primary, keeps copies of itself
 * running. One port shows their health and metrics, and one signal stops them all. Each copy is a complete worker with
 * its own id, heartbeat and memory. If the primary exits, the copies shut down gracefully.
 *
 * The copies are plain child processes. node:cluster is not suitable, because there is no socket to share. Its workers
 * also exit immediately when their primary is killed, even with lines in flight.
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

/** Added to the grace period, as time to record the last results and for the other phases of a worker's shutdown. */
const STOP_MARGIN_MS = 22_000;
const FORCE_MS = 5_000;
const CHECK_TIMEOUT_MS = 5_000;

export interface PrimaryOptions {
  /** The main file of this program. */
  readonly program: string;
  readonly config: WorkerConfig;
  /** The environment of the copies, except for the variables that the primary sets. */
  readonly env: NodeJS.ProcessEnv;
  /** URL of the simulator that answers if no upstream is configured. */
  readonly simulatorUrl: string | null;
  readonly life: Lifecycle;
  readonly logger: Logger;
}

/** Resolves when all copies are running. Rejects with StartupError if one of them cannot start. */
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
  // The first copy starts alone, so that an unavailable store is reported once, and not by every copy.
  const [first = 1, ...others] = numbers;
  await start(first);
  await Promise.all(others.map(start));
  life.listening(server.url);
}

function startCopy({ program, env, simulatorUrl, logger }: PrimaryOptions, number: number): SupervisedProcess {
  const own = {
    WORKER_PROCESSES: "1",
    // Only the primary connects to a copy.
    HOST: "127.0.0.1",
    PORT: "0",
    ...(simulatorUrl === null ? {} : { SIMULATOR_URL: simulatorUrl }),
  };
  return superviseProcess({
    // The arguments stay the same, because they identify the processes of a data folder.
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

/** Rejects if a copy did not shut down gracefully, so that the exit code reports the failure. */
async function stopAll(copies: ReadonlyMap<number, SupervisedProcess>, patienceMs: number): Promise<void> {
  const ends = await Promise.all(
    [...copies].map(async ([number, copy]) => ((await copy.stop(patienceMs)) ? [] : [number])),
  );
  const bad = ends.flat();
  if (bad.length > 0) throw new Error(`worker processes did not shut down gracefully: ${bad.join(", ")}`);
}

/** Checks the readiness of a copy. The primary is not ready while a copy is down. */
function askReady(urlOf: () => string | undefined): Check {
  return async () => {
    const url = urlOf();
    if (url === undefined) throw new Error("is starting");
    const reply = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) });
    const body = await reply.text();
    if (!reply.ok) throw new Error(body);
  };
}
