/** Reads the environment of the API process. No other file of the API reads process.env. */
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
    description: "completion windows such as 1h,24h,7d: 1 to 999 minutes (m), hours (h) or days (d)",
  }),
  NIGHTSHIFT_FILE_EXPIRY_DAYS: FileExpiryDays,
});

/** The validated variables, by name. */
export type ApiConfig = Static<typeof ApiVariables>;

/** Throws a ConfigError that lists every invalid variable. */
export function readApiConfig(): ApiConfig {
  return readConfig(ApiVariables, process.env, "The API");
}

/**
 * Returns the names of the upstreams. The API needs them only to name the queues, and starts without a configured
 * upstream. Rejects with a StartupError if the configuration of the upstreams is invalid.
 */
export async function readUpstreamNames(config: ApiConfig): Promise<string[]> {
  if (config.NIGHTSHIFT_CONFIG === undefined && config.UPSTREAM_BASE_URL === undefined) return [SIMULATOR_UPSTREAM];
  const routes = await startupErrorOf(RoutesError, () => loadRoutes(config, process.env));
  return routes.upstreams.map((upstream) => upstream.name);
}

/** Returns the limits of tenants, which are in the same file. Rejects like readUpstreamNames. */
export async function readTiers(config: ApiConfig): Promise<Tiers> {
  return startupErrorOf(RoutesError, () => loadTiers(config, process.env));
}
