/**
 * Tells jest how to find, compile and group the tests. Each project is one kind of test, identified by the file name.
 * `scripts/test.mjs` runs the projects one after another.
 *
 * @jest-config-loader esbuild-register
 */
import type { Config } from "jest";

/** Jest reads workspace packages from their sources, so no test needs a build of the code it imports. */
const base = {
  testEnvironment: "node",
  testEnvironmentOptions: { customExportConditions: ["@nightshift/source", "node", "node-addons"] },
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { target: "es2023", parser: { syntax: "typescript" } }, module: { type: "es6" }, sourceMaps: "inline" },
    ],
  },
} satisfies Config;

/**
 * Used for tests that need services: starts the services, keeps the data of failed test files, and fails on leftover
 * processes.
 */
const services = {
  testEnvironment: "<rootDir>/tests/support/environment.mjs",
  globalSetup: "<rootDir>/tests/support/global-setup.mjs",
  globalTeardown: "<rootDir>/tests/support/global-teardown.mjs",
};

export default {
  coverageProvider: "v8",
  projects: [
    {
      ...base,
      displayName: "unit",
      testMatch: ["<rootDir>/{packages,apps}/*/src/**/*.test.ts", "<rootDir>/tests/architecture/**/*.test.ts"],
    },
    {
      ...base,
      ...services,
      displayName: "integration",
      testMatch: ["<rootDir>/{packages,apps}/*/test/**/*.int.test.ts"],
    },
    {
      ...base,
      ...services,
      displayName: "e2e",
      testMatch: ["<rootDir>/tests/e2e/**/*.e2e.test.ts"],
    },
    {
      ...base,
      ...services,
      displayName: "long",
      testMatch: ["<rootDir>/{packages,apps}/*/test/**/*.long.test.ts", "<rootDir>/tests/e2e/**/*.long.test.ts"],
    },
    {
      ...base,
      ...services,
      displayName: "alone",
      testMatch: ["<rootDir>/tests/e2e/**/*.alone.test.ts"],
    },
  ],
} satisfies Config;
