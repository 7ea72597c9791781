/** The environment of a worker process: the only place of this app that reads it. */
import { Type, type Static } from "@sinclair/typebox";
import { FileExpiryDays } from "@nightshift/domain";
import { LOG_LEVELS, readConfig } from "@nightshift/service";
import { StoresVariables } from "@nightshift/stores";
import { UpstreamVariables } from "@nightshift/upstream";

const WorkerVariables = Type.Object({
  ...StoresVariables,
  ...UpstreamVariables,
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
  NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE: Type.Boolean({
    default: false,
    description: "true or false: whether webhooks may go to this machine and to private networks",
  }),
  NIGHTSHIFT_LOG_LEVEL: Type.Union(
    LOG_LEVELS.map((level) => Type.Literal(level)),
    { default: "info", description: `one of ${LOG_LEVELS.join(", ")}` },
  ),
  NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS: Type.Number({
    default: 30,
    minimum: 0,
    maximum: 3_600,
    description: "how long lines in flight may take to end, in seconds",
  }),
});

export type WorkerConfig = Static<typeof WorkerVariables>;

/** Throws ConfigError, all faults at once. */
export function readWorkerConfig(): { config: WorkerConfig; env: NodeJS.ProcessEnv } {
  return { config: readConfig(WorkerVariables, process.env, "The worker"), env: process.env };
}
