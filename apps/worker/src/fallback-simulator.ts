/** With no upstream configured, Nightshift's own simulator answers: a process of its own, named as such everywhere. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  loadRoutes,
  loadTiers,
  RoutesError,
  SIMULATOR_UPSTREAM,
  type Routes,
  type UpstreamConfig,
} from "@nightshift/upstream";
import type { Tiers } from "@nightshift/domain";
import { StartupError, startupErrorOf, type Lifecycle, type Logger } from "@nightshift/service";
import type { WorkerConfig } from "./config.ts";

/** Quick enough to be no wait, slow enough to be seen working. */
const LATENCY_MS = "50";

/**
 * Starts a simulator that lives as long as this process, unless an upstream is configured or the simulator of another
 * process is to be used. Resolves with the simulator's URL, null where a configured upstream answers.
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

/** The configured routes, or a single one to the simulator. */
export function readRoutes(config: WorkerConfig, env: NodeJS.ProcessEnv, simulatorUrl: string | null): Promise<Routes> {
  return simulatorUrl === null ? configuredRoutes(config, env) : simulatorRoutes(simulatorUrl);
}

async function simulatorRoutes(url: string): Promise<Routes> {
  const routes = await loadRoutes({ UPSTREAM_BASE_URL: `${url}/v1` }, {});
  const upstreams = routes.upstreams.map((upstream) => ({ ...upstream, name: SIMULATOR_UPSTREAM }));
  return { upstreams, resolve: (model) => ({ upstream: SIMULATOR_UPSTREAM, model }) };
}

/** What tenants may have, by the same file. */
export function readTiers(config: WorkerConfig, env: NodeJS.ProcessEnv): Promise<Tiers> {
  return startupErrorOf(RoutesError, () => loadTiers(config, env));
}

function configuredRoutes(config: UpstreamConfig, env: NodeJS.ProcessEnv): Promise<Routes> {
  return startupErrorOf(RoutesError, () => loadRoutes(config, env));
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
