/**
 * The configuration of a worker process. Only this file of the app reads the environment and the configuration file.
 */
import { Type, type Static } from "@sinclair/typebox";
import { BackendVariables, FileExpiryDays } from "@nightshift/backends";
import type { Tiers } from "@nightshift/domain";
import { ProcessVariables, readConfig, startupErrorOf } from "@nightshift/service";
import { loadRoutes, loadTiers, RoutesError, UpstreamVariables, type Routes } from "@nightshift/upstream";
import { WebhookVariables } from "@nightshift/webhooks";

const WorkerVariables = Type.Object({
  ...BackendVariables,
  ...UpstreamVariables,
  ...WebhookVariables,
  ...ProcessVariables,
  HOST: Type.String({ default: "127.0.0.1", description: "an address to listen on for health checks" }),
  PORT: Type.Integer({ default: 8081, minimum: 0, maximum: 65_535, description: "a port, 0 for any free one" }),
  WORKER_PROCESSES: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 256,
    description: "a number of processes, from 1 to 256",
  }),
  // The primary process sets this variable for its copies, which share one simulator. Operators set UPSTREAM_BASE_URL.
  SIMULATOR_URL: Type.Optional(Type.String()),
  NIGHTSHIFT_FILE_EXPIRY_DAYS: FileExpiryDays,
});

export type WorkerConfig = Static<typeof WorkerVariables>;

/** Reads the configuration. Throws a ConfigError that names all faults at once. */
export function readWorkerConfig(): { config: WorkerConfig; env: NodeJS.ProcessEnv } {
  return { config: readConfig(WorkerVariables, process.env, "The worker"), env: process.env };
}

/** Returns the configured routes. Rejects with StartupError if the configuration file is wrong. */
export function readRoutes(config: WorkerConfig, env: NodeJS.ProcessEnv): Promise<Routes> {
  return startupErrorOf(RoutesError, () => loadRoutes(config, env));
}

/** Returns the tiers, which are the limits of tenants, from the same file. */
export function readTiers(config: WorkerConfig, env: NodeJS.ProcessEnv): Promise<Tiers> {
  return startupErrorOf(RoutesError, () => loadTiers(config, env));
}
