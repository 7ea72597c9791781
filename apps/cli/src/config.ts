/** Reads the environment of the command line. No other file of this app reads it. */
import path from "node:path";
import { KNOWN_VARIABLES, readConfig, ShutdownGraceSeconds } from "@nightshift/service";
import { type Static, Type } from "@sinclair/typebox";

const CliVariables = Type.Object({
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 8080 }),
  HOST: Type.String({ default: "127.0.0.1" }),
  DATABASE_URL: Type.Optional(Type.String({ pattern: "^postgres(ql)?://", description: "a postgres:// URL" })),
  UPSTREAM_BASE_URL: Type.Optional(Type.String()),
  NIGHTSHIFT_CONFIG: Type.Optional(Type.String()),
  NIGHTSHIFT_DATA_DIR: Type.String({ default: "./data" }),
  NIGHTSHIFT_BOOTSTRAP_KEY: Type.Optional(Type.String()),
  NIGHTSHIFT_ADMIN_KEY: Type.Optional(Type.String()),
  NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS: ShutdownGraceSeconds,
  // The variables of the official SDKs. `nightshift run` uses them too, so that a script's settings work unchanged.
  OPENAI_BASE_URL: Type.Optional(Type.String({ pattern: "^https?://", description: "an http:// or https:// URL" })),
  OPENAI_API_KEY: Type.Optional(Type.String()),
});

export interface CliConfig {
  readonly port: number;
  readonly host: string;
  /** An absolute path. */
  readonly dataDir: string;
  /** Null if this machine runs its own Postgres. */
  readonly databaseUrl: string | null;
  /** The configured upstream, for display: a URL or the path of a config file. Null if none is configured. */
  readonly upstream: string | null;
  readonly bootstrapKey: string | null;
  readonly adminKey: string | null;
  readonly graceMs: number;
  readonly openaiBaseUrl: string | null;
  readonly openaiApiKey: string | null;
  /** The environment of the API and the worker. */
  readonly serviceEnvironment: NodeJS.ProcessEnv;
  /**
   * The environment for Postgres, which may run as another user. It contains neither Nightshift's variables nor
   * variables that look like secrets.
   */
  readonly plainEnvironment: NodeJS.ProcessEnv;
}

/** Throws ConfigError with all faults at once. */
export function readCliConfig(): CliConfig {
  const values: Static<typeof CliVariables> = readConfig(CliVariables, process.env, "Nightshift");
  return Object.freeze({
    port: values.PORT,
    host: values.HOST,
    dataDir: path.resolve(values.NIGHTSHIFT_DATA_DIR),
    databaseUrl: values.DATABASE_URL ?? null,
    upstream: values.NIGHTSHIFT_CONFIG ?? values.UPSTREAM_BASE_URL ?? null,
    bootstrapKey: values.NIGHTSHIFT_BOOTSTRAP_KEY ?? null,
    adminKey: values.NIGHTSHIFT_ADMIN_KEY ?? null,
    graceMs: values.NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS * 1000,
    openaiBaseUrl: values.OPENAI_BASE_URL ?? null,
    openaiApiKey: values.OPENAI_API_KEY ?? null,
    serviceEnvironment: process.env,
    plainEnvironment: withoutSecrets(process.env),
  });
}

function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !(name in KNOWN_VARIABLES) && !/KEY|SECRET|TOKEN|PASSW|^PG/i.test(name)),
  );
}
