import { expect, test } from "@jest/globals";
import { ConfigError, KNOWN_VARIABLES, readConfig, StartupError } from "@nightshift/service";
import { Type } from "@sinclair/typebox";
import { BackendVariables, batchFileLife, FileExpiryDays, refuseHalfSet } from "./variables.ts";

const schema = Type.Object(BackendVariables);
const minimal = { DATABASE_URL: "postgres://me:secret@db:5432/nightshift" };

test("DATABASE_URL alone is enough: the queue runs on Postgres and objects are in the data folder", () => {
  const config = readConfig(schema, minimal, "api");

  expect(config).toEqual({ ...minimal, S3_REGION: "us-east-1", S3_SERVER_COPY: true, NIGHTSHIFT_DATA_DIR: "./data" });
});

test("every variable is in KNOWN_VARIABLES", () => {
  expect(Object.keys(KNOWN_VARIABLES)).toEqual(expect.arrayContaining(Object.keys(BackendVariables)));
});

test("validates addresses and the bucket's name", () => {
  const env = { DATABASE_URL: "db", REDIS_URL: "http://redis", S3_ENDPOINT: "minio:9000", S3_BUCKET: "No Bucket" };

  const read = (): unknown => readConfig(schema, env, "api");

  expect(read).toThrow(ConfigError);
  for (const variable of Object.keys(env)) expect(read).toThrow(variable);
});

test.each([
  [{ S3_ENDPOINT: "http://minio:9000" }, "S3_BUCKET"],
  [{ S3_BUCKET: "bucket", AWS_ACCESS_KEY_ID: "id" }, "AWS_SECRET_ACCESS_KEY"],
  [{ S3_BUCKET: "bucket", AWS_SECRET_ACCESS_KEY: "secret" }, "AWS_ACCESS_KEY_ID"],
])("refuses %j without the variable that it needs", (half, partner) => {
  const config = readConfig(schema, { ...minimal, ...half }, "api");

  const check = (): void => {
    refuseHalfSet(config);
  };

  expect(check).toThrow(StartupError);
  expect(check).toThrow(partner);
});

test.each([
  {},
  { AWS_ACCESS_KEY_ID: "of another program" },
  { S3_BUCKET: "bucket" },
  { S3_BUCKET: "bucket", S3_ENDPOINT: "http://minio:9000", AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" },
])("accepts %j", (whole) => {
  const config = readConfig(schema, { ...minimal, ...whole }, "api");

  expect(() => {
    refuseHalfSet(config);
  }).not.toThrow();
});

test("files of batches expire after 30 days by default, and never with 0 days", () => {
  expect(FileExpiryDays.default).toBe(30);
  expect(batchFileLife(30)).toBe(2_592_000);
  expect(batchFileLife(0)).toBeNull();
});
