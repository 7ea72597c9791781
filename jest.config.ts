/**
 * How jest finds, compiles and groups the tests: four projects by what they need. `scripts/test.mjs` runs them one after the other.
 *
 * @jest-config-loader esbuild-register
 */
import type { Config } from "jest";

/** What the projects share: workspace packages are read from their sources, so that no test needs a build of the code it tests. */
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

/** For tests that need services: starts them, keeps what failed files leave, and looks afterwards whether anything still runs. */
const services = {
  testEnvironment: "<rootDir>/tests/support/environment.mjs",
  globalSetup: "<rootDir>/tests/support/global-setup.mjs",
  globalTeardown: "<rootDir>/tests/support/global-teardown.mjs",
};

export default {
  coverageProvider: "v8",
  testSequencer: "<rootDir>/tests/support/longest-first.mjs",
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
      displayName: "alone",
      testMatch: ["<rootDir>/tests/e2e/**/*.alone.test.ts"],
    },
  ],
} satisfies Config;
