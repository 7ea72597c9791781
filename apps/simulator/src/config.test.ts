import { expect, test } from "@jest/globals";
import { ConfigError } from "@nightshift/service";
import { readSimulatorConfig } from "./config.ts";

test("an empty environment keeps all default settings", () => {
  expect(readSimulatorConfig({})).toEqual({ host: "127.0.0.1", port: 8090, settings: {} });
});

test("each variable sets one setting", () => {
  const config = readSimulatorConfig({
    HOST: "0.0.0.0",
    PORT: "0",
    SIMULATOR_LATENCY_MS: "12.5",
    SIMULATOR_LATENCY_SIGMA: "0.3",
    SIMULATOR_ERROR_RATE: "0.01",
    SIMULATOR_REQUESTS_PER_MINUTE: "600",
    SIMULATOR_CONCURRENCY: "32",
    SIMULATOR_REPLY_BYTES: "2000",
    SIMULATOR_SEED: "7",
  });

  expect(config).toEqual({
    host: "0.0.0.0",
    port: 0,
    settings: {
      latencyMs: 12.5,
      latencySigma: 0.3,
      errorRate: 0.01,
      requestsPerMinute: 600,
      concurrency: 32,
      replyBytes: 2000,
      seed: 7,
    },
  });
});

test("rejects a value out of range", () => {
  expect(() => readSimulatorConfig({ SIMULATOR_ERROR_RATE: "2" })).toThrow(ConfigError);
});
