/** The environment of the API process: the only reader of process.env here. */
import { COMPLETION_WINDOWS_PATTERN, DEFAULT_COMPLETION_WINDOWS, type Tiers } from "@nightshift/domain";
import { ProcessVariables, readConfig, startupErrorOf } from "@nightshift/service";
import { BackendVariables, FileExpiryDays } from "@nightshift/backends";
import { loadRoutes, loadTiers, RoutesError, SIMULATOR_UPSTREAM, UpstreamVariables } from "@nightshift/upstream";
import { WebhookVariables } from "@nightshift/webhooks";
import { type Static, Type } from "@sinclair/typebox";

const ApiVariables = Type.Object({
  ...BackendVariables,
  ...UpstreamVariables,
  ...WebhookVariables,
  ...ProcessVariables,
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 8080 }),
  HOST: Type.String({ default: "127.0.0.1" }),
  NIGHTSHIFT_BOOTSTRAP_KEY: Type.Optional(
    Type.String({ pattern: "^[!-~]+$", description: "an API key: ASCII characters without spaces" }),
  ),
  NIGHTSHIFT_ADMIN_KEY: Type.Optional(Type.String({ description: "the password of the dashboard" })),
  NIGHTSHIFT_COMPLETION_WINDOWS: Type.String({
    pattern: COMPLETION_WINDOWS_PATTERN,
    default: DEFAULT_COMPLETION_WINDOWS,
    description: "completion windows such as 1h,24h,7d (minutes m, hours h, days d; 1 to 999 of them)",
  }),
  NIGHTSHIFT_FILE_EXPIRY_DAYS: FileExpiryDays,
});

/** Variables by name, checked and of their types. */
export type ApiConfig = Static<typeof ApiVariables>;

/** Throws ConfigError with every fault. */
export function readApiConfig(): ApiConfig {
  return readConfig(ApiVariables, process.env, "The API");
}

/**
 * Names of the upstreams, which the API knows for the sake of their queues alone: it starts without being told of any.
 * Rejects with StartupError where the configuration of upstreams is wrong.
 */
export async function readUpstreamNames(config: ApiConfig): Promise<string[]> {
  if (config.NIGHTSHIFT_CONFIG === undefined && config.UPSTREAM_BASE_URL === undefined) return [SIMULATOR_UPSTREAM];
  const routes = await startupErrorOf(RoutesError, () => loadRoutes(config, process.env));
  return routes.upstreams.map((upstream) => upstream.name);
}

/** What tenants may have, by the same file. Rejects as readUpstreamNames does. */
export async function readTiers(config: ApiConfig): Promise<Tiers> {
  return startupErrorOf(RoutesError, () => loadTiers(config, process.env));
}
