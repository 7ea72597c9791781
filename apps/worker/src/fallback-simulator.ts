/**
 * Starts Nightshift's simulator as a separate process if no upstream is configured. Logs and result lines contain its
 * name.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { loadRoutes, SIMULATOR_UPSTREAM, type Routes } from "@nightshift/upstream";
import { StartupError, type Lifecycle, type Logger } from "@nightshift/service";
import type { WorkerConfig } from "./config.ts";

/** A latency that is short enough for a demo and long enough to see the progress of a batch. */
const LATENCY_MS = "50";

/**
 * Starts a simulator that runs as long as this process, and resolves with its URL. If SIMULATOR_URL is set, starts
 * nothing and resolves with that URL. Resolves with null if an upstream is configured.
 */
export async function ensureUpstream(
  config: WorkerConfig,
  env: NodeJS.ProcessEnv,
  life: Lifecycle,
  logger: Logger,
): Promise<string | null> {
  if (config.UPSTREAM_BASE_URL !== undefined || config.NIGHTSHIFT_CONFIG !== undefined) return null;
  if (config.SIMULATOR_URL !== undefined) return config.SIMULATOR_URL;
  const url = await startSimulator(env, life);
  logger.warn({ url }, "no upstream is configured: Nightshift's simulator answers, not a model");
  return url;
}

/** Returns a single route: the simulator answers for every model. */
export async function simulatorRoutes(url: string): Promise<Routes> {
  const routes = await loadRoutes({ UPSTREAM_BASE_URL: `${url}/v1` }, {});
  const upstreams = routes.upstreams.map((upstream) => ({ ...upstream, name: SIMULATOR_UPSTREAM }));
  return { upstreams, resolve: (model) => ({ upstream: SIMULATOR_UPSTREAM, model }) };
}

async function startSimulator(env: NodeJS.ProcessEnv, life: Lifecycle): Promise<string> {
  const main = fileURLToPath(import.meta.resolve("@nightshift/simulator/main"));
  const child = fork(main, [], {
    env: { SIMULATOR_LATENCY_MS: LATENCY_MS, ...env, PORT: "0", HOST: "127.0.0.1" },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  life.onStop("simulator", 3_000, async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  });
  child.once("exit", () => {
    if (!life.stopping.aborted) life.stop("the simulator ended", 1);
  });
  const [message] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => {
      throw new StartupError("The simulator could not be started; see the lines above.");
    }),
  ])) as [{ type: "listening"; url: string }];
  return message.url;
}
