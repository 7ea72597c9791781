/** How the API reads its environment. */
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ConfigError, StartupError } from "@nightshift/service";
import { readApiConfig, readUpstreamNames } from "./config.ts";

const before = { ...process.env };

beforeEach(() => {
  process.env = { DATABASE_URL: "postgres://localhost/nightshift" };
});
afterEach(() => {
  process.env = { ...before };
});

test("requires only the database", () => {
  expect(readApiConfig()).toEqual({
    DATABASE_URL: "postgres://localhost/nightshift",
    S3_REGION: "us-east-1",
    S3_SERVER_COPY: true,
    NIGHTSHIFT_DATA_DIR: "./data",
    PORT: 8080,
    HOST: "127.0.0.1",
    NIGHTSHIFT_COMPLETION_WINDOWS: "24h",
    NIGHTSHIFT_FILE_EXPIRY_DAYS: 30,
    NIGHTSHIFT_LOG_LEVEL: "info",
    NIGHTSHIFT_SHUTDOWN_GRACE_SECONDS: 30,
    NIGHTSHIFT_WEBHOOK_ALLOW_PRIVATE: false,
  });
});

test("reports all faults together", () => {
  process.env = { PORT: "eighty", NIGHTSHIFT_BOOTSTRAP_KEY: "two words", NIGHTSHIFT_ADMINKEY: "x" };

  expect(readApiConfig).toThrow(ConfigError);
  expect(readApiConfig).toThrow(
    /DATABASE_URL .*PORT .*NIGHTSHIFT_BOOTSTRAP_KEY .*NIGHTSHIFT_ADMINKEY .*did you mean NIGHTSHIFT_ADMIN_KEY/s,
  );
});

test.each([
  ["NIGHTSHIFT_COMPLETION_WINDOWS", "24", "completion windows such as 1h,24h,7d"],
  ["NIGHTSHIFT_COMPLETION_WINDOWS", "1h,,24h", "completion windows such as 1h,24h,7d"],
  ["NIGHTSHIFT_COMPLETION_WINDOWS", "0h", "completion windows such as 1h,24h,7d"],
  ["NIGHTSHIFT_FILE_EXPIRY_DAYS", "-1", "days after which the files of batches expire"],
  ["NIGHTSHIFT_FILE_EXPIRY_DAYS", "3651", "days after which the files of batches expire"],
])("refuses %s=%s, and says what is expected", (variable, value, expected) => {
  process.env[variable] = value;

  expect(readApiConfig).toThrow(new RegExp(`${variable} .*${value}.*${expected}`));
});

test.each([
  ["no upstream configured", {}, "simulator"],
  ["one upstream for all models", { UPSTREAM_BASE_URL: "http://127.0.0.1:1/v1" }, "default"],
])("has one queue of slices, with the name that workers use: %s", async (_what, variables, name) => {
  Object.assign(process.env, variables);

  expect(await readUpstreamNames(readApiConfig())).toEqual([name]);
});

test("rejects an invalid upstream with a StartupError", async () => {
  process.env["UPSTREAM_BASE_URL"] = "not a URL";

  await expect(readUpstreamNames(readApiConfig())).rejects.toThrow(StartupError);
});
