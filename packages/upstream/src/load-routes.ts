/**
 * Loads the upstreams that the environment configures: one from the variables UPSTREAM_*, or several from the file that
 * NIGHTSHIFT_CONFIG names.
 */
import { readFile } from "node:fs/promises";
import { NO_TIERS, type Tiers } from "@nightshift/domain";
import { type Static, type TObject, Type } from "@sinclair/typebox";
import { BASE_URL_EXPECTED, isBaseUrl } from "./base-url.ts";
import { type RouteFault, RoutesError } from "./routes-error.ts";
import { show } from "./routes-file-schema.ts";
import { type Environment, parseRoutes, parseTiers, toSettings } from "./routes-file.ts";
import { createRoutes, type Routes } from "./routes.ts";
import { RANGES } from "./settings.ts";

/** Properties to spread into the schema of a process' environment. */
export const UpstreamVariables = {
  NIGHTSHIFT_CONFIG: Type.Optional(Type.String({ description: "path of a YAML file of upstreams and routes" })),
  UPSTREAM_BASE_URL: Type.Optional(Type.String({ description: BASE_URL_EXPECTED })),
  UPSTREAM_API_KEY: Type.Optional(
    Type.String({ pattern: "^[\\x20-\\x7e]+$", description: "the API key of the one upstream, on one line" }),
  ),
  UPSTREAM_CONCURRENCY: Type.Optional(Type.Integer(RANGES.concurrency)),
  UPSTREAM_REQUESTS_PER_MINUTE: Type.Optional(Type.Integer(RANGES.requestsPerMinute)),
  UPSTREAM_TIMEOUT_SECONDS: Type.Optional(Type.Integer(RANGES.timeoutSeconds)),
  UPSTREAM_MAX_ATTEMPTS: Type.Optional(Type.Integer(RANGES.maxAttempts)),
  UPSTREAM_SLICE_LINES: Type.Optional(Type.Integer(RANGES.sliceLines)),
} as const;

/** The values of UpstreamVariables, converted and validated. */
export type UpstreamConfig = Static<TObject<typeof UpstreamVariables>>;

/** The name of the only upstream if the environment configures none: Nightshift's simulator. */
export const SIMULATOR_UPSTREAM = "simulator";

/**
 * Loads the routes of models. `api_key_env` names variables of `env`. With UPSTREAM_BASE_URL, one upstream named
 * `default` serves every model. Rejects with a RoutesError that lists all faults if both ways or neither way is used,
 * or if the file is missing or invalid.
 */
export async function loadRoutes(config: UpstreamConfig, env: Environment): Promise<Routes> {
  const { NIGHTSHIFT_CONFIG: path, UPSTREAM_BASE_URL: baseUrl } = config;
  const faults = variableFaults(config);
  if (faults.length > 0) throw new RoutesError("The upstream's configuration", faults);
  if (path !== undefined) return parseRoutes(await readText(path), path, env);

  const given = {
    base_url: baseUrl ?? "",
    concurrency: config.UPSTREAM_CONCURRENCY,
    requests_per_minute: config.UPSTREAM_REQUESTS_PER_MINUTE,
    timeout_seconds: config.UPSTREAM_TIMEOUT_SECONDS,
    max_attempts: config.UPSTREAM_MAX_ATTEMPTS,
    slice_lines: config.UPSTREAM_SLICE_LINES,
  };
  const upstream = toSettings("default", given, config.UPSTREAM_API_KEY ?? null);
  return createRoutes([upstream], [{ pattern: "*", upstream: upstream.name, as: null }]);
}

/**
 * Loads the tiers from the same file. If there is no file, only the contract's limits apply. Rejects like loadRoutes.
 */
export async function loadTiers({ NIGHTSHIFT_CONFIG: path }: UpstreamConfig, env: Environment): Promise<Tiers> {
  return path === undefined ? NO_TIERS : parseTiers(await readText(path), path, env);
}

function variableFaults(config: UpstreamConfig): RouteFault[] {
  const { NIGHTSHIFT_CONFIG: path, UPSTREAM_BASE_URL: baseUrl } = config;
  if (path !== undefined) {
    return Object.entries(config)
      .filter(([name]) => name.startsWith("UPSTREAM_"))
      .map(([where]) => ({ where, got: "a value", expected: "nothing, because NIGHTSHIFT_CONFIG is set" }));
  }
  if (baseUrl === undefined) {
    return [{ where: "UPSTREAM_BASE_URL", got: "nothing", expected: `${BASE_URL_EXPECTED}, or NIGHTSHIFT_CONFIG` }];
  }
  return isBaseUrl(baseUrl)
    ? []
    : [{ where: "UPSTREAM_BASE_URL", got: show([], baseUrl), expected: BASE_URL_EXPECTED }];
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unreadable";
    const fault = { where: "NIGHTSHIFT_CONFIG", got: `${path} (${code})`, expected: "a file that can be read" };
    throw new RoutesError("The upstream's configuration", [fault]);
  }
}
