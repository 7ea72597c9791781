/** Reads the environment of the simulator. No other file of this app reads it. */
import { readConfig } from "@nightshift/service";
import { Type } from "@sinclair/typebox";
import { type SimulatorSettings, SETTING_SCHEMAS } from "./settings.ts";

const limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 }));

const VARIABLES = Type.Object({
  HOST: Type.String({ default: "127.0.0.1" }),
  PORT: Type.Integer({ default: 8090, minimum: 0, maximum: 65_535 }),
  SIMULATOR_LATENCY_MS: Type.Optional(SETTING_SCHEMAS.latencyMs),
  SIMULATOR_LATENCY_SIGMA: Type.Optional(SETTING_SCHEMAS.latencySigma),
  SIMULATOR_ERROR_RATE: Type.Optional(SETTING_SCHEMAS.errorRate),
  SIMULATOR_REQUESTS_PER_MINUTE: limit,
  SIMULATOR_CONCURRENCY: limit,
  SIMULATOR_REPLY_BYTES: Type.Optional(SETTING_SCHEMAS.replyBytes),
  SIMULATOR_SEED: Type.Optional(SETTING_SCHEMAS.seed),
});

export interface SimulatorConfig {
  readonly host: string;
  readonly port: number;
  /** Only the settings that a variable sets. */
  readonly settings: Partial<SimulatorSettings>;
}

/** Throws ConfigError with all faults at once. */
export function readSimulatorConfig(env: NodeJS.ProcessEnv = process.env): SimulatorConfig {
  const values = readConfig(VARIABLES, env, "The simulator");
  const settings = {
    latencyMs: values.SIMULATOR_LATENCY_MS,
    latencySigma: values.SIMULATOR_LATENCY_SIGMA,
    errorRate: values.SIMULATOR_ERROR_RATE,
    requestsPerMinute: values.SIMULATOR_REQUESTS_PER_MINUTE,
    concurrency: values.SIMULATOR_CONCURRENCY,
    replyBytes: values.SIMULATOR_REPLY_BYTES,
    seed: values.SIMULATOR_SEED,
  };
  const isSet = ([, value]: [string, unknown]): boolean => value !== undefined;
  return {
    host: values.HOST,
    port: values.PORT,
    settings: Object.fromEntries(Object.entries(settings).filter(isSet)),
  };
}
