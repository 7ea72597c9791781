/** The environment of a worker process: the only place of this app that reads it. */
import { Type, type Static } from "@sinclair/typebox";
import { ProcessVariables, readConfig } from "@nightshift/service";
import { BackendVariables, FileExpiryDays } from "@nightshift/backends";
import { UpstreamVariables } from "@nightshift/upstream";
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
  // Set by a worker for its copies, which share its simulator; not for operators, who have UPSTREAM_BASE_URL.
  SIMULATOR_URL: Type.Optional(Type.String()),
  NIGHTSHIFT_FILE_EXPIRY_DAYS: FileExpiryDays,
});

export type WorkerConfig = Static<typeof WorkerVariables>;

/** Throws ConfigError, all faults at once. */
export function readWorkerConfig(): { config: WorkerConfig; env: NodeJS.ProcessEnv } {
  return { config: readConfig(WorkerVariables, process.env, "The worker"), env: process.env };
}
