import { expect, test } from "@jest/globals";
import { Type, type Static, type TObject } from "@sinclair/typebox";
import { ConfigError, readConfig } from "./config.ts";

const schema = Type.Object({
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 8080 }),
  DATABASE_URL: Type.String({ pattern: "^postgres://", description: "a URL that begins with postgres://" }),
  NIGHTSHIFT_LOG_LEVEL: Type.Union([Type.Literal("info"), Type.Literal("warn")], { default: "info" }),
  NIGHTSHIFT_ADMIN_KEY: Type.Optional(Type.String({ minLength: 16, description: "at least 16 characters" })),
  SIMULATOR_ERROR_RATE: Type.Optional(Type.Number({ minimum: 0 })),
});

function faultsOf(env: NodeJS.ProcessEnv, of: TObject = schema): ConfigError {
  try {
    readConfig(of, env, "api");
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

test("converts strings to the schema's numbers and booleans, and adds defaults", () => {
  const withFlag = Type.Object({ ...schema.properties, FLAG: Type.Boolean() });

  const config = readConfig(
    withFlag,
    { PORT: "0", DATABASE_URL: " postgres://h/d\n", SIMULATOR_ERROR_RATE: "0.25", FLAG: "true", UNRELATED: "x" },
    "api",
  );

  expect(config).toEqual({
    PORT: 0,
    DATABASE_URL: "postgres://h/d",
    NIGHTSHIFT_LOG_LEVEL: "info",
    SIMULATOR_ERROR_RATE: 0.25,
    FLAG: true,
  });
});

test("returns a frozen object", () => {
  const config = readConfig(schema, { DATABASE_URL: "postgres://h/d" }, "api");

  expect(() => {
    (config as { -readonly [K in keyof Static<typeof schema>]: unknown }).PORT = 1;
  }).toThrow(TypeError);
});

test("treats an empty string and a string of white space as not set", () => {
  const config = readConfig(schema, { DATABASE_URL: "postgres://h/d", PORT: " ", NIGHTSHIFT_ADMIN_KEY: "" }, "api");

  expect(config).toEqual({ DATABASE_URL: "postgres://h/d", PORT: 8080, NIGHTSHIFT_LOG_LEVEL: "info" });
});

test("reports all faults at once, each with its variable, its value and what is expected", () => {
  const error = faultsOf({ PORT: "70000", NIGHTSHIFT_LOG_LEVEL: "loud", SIMULATOR_ERROR_RATE: "-1" });

  expect(error.faults).toEqual([
    { variable: "DATABASE_URL", problem: "is not set, expected a URL that begins with postgres://" },
    { variable: "PORT", problem: 'got "70000", expected an integer from 0 to 65535' },
    { variable: "NIGHTSHIFT_LOG_LEVEL", problem: 'got "loud", expected one of info, warn' },
    { variable: "SIMULATOR_ERROR_RATE", problem: 'got "-1", expected a number of at least 0' },
  ]);
  expect(error.message).toMatch(/^api cannot start/);
  for (const fault of error.faults) expect(error.message).toContain(fault.problem);
});

test.each(["eighty", "1.5", "8080 x", "NaN"])("refuses %j as a port", (port) => {
  const error = faultsOf({ DATABASE_URL: "postgres://h/d", PORT: port });

  expect(error.faults).toEqual([{ variable: "PORT", problem: `got "${port}", expected an integer from 0 to 65535` }]);
});

test("hides keys and the password in a URL", () => {
  const error = faultsOf({ DATABASE_URL: "postgresql:/me:hunter2@db/x", NIGHTSHIFT_ADMIN_KEY: "too-short" });

  expect(error.message).not.toContain("hunter2");
  expect(error.message).not.toContain("too-short");
  expect(error.message).toContain("***@db/x");
});

test.each([
  ["NIGHTSHIFT_DATADIR", "NIGHTSHIFT_DATA_DIR"],
  ["NIGHTSHIFT_LOGLEVEL", "NIGHTSHIFT_LOG_LEVEL"],
  ["NIGHTSHIFT_UPSTREAM_BASE_URL", "UPSTREAM_BASE_URL"],
])("refuses the unknown %s and suggests %s", (unknown, nearest) => {
  const error = faultsOf({ DATABASE_URL: "postgres://h/d", [unknown]: "x" });

  expect(error.faults).toEqual([
    { variable: unknown, problem: `is not a variable of Nightshift; did you mean ${nearest}?` },
  ]);
});

test("refuses an unknown variable that resembles no known one, without a suggestion", () => {
  const error = faultsOf({ DATABASE_URL: "postgres://h/d", NIGHTSHIFT_X: "x" });

  expect(error.faults).toEqual([{ variable: "NIGHTSHIFT_X", problem: "is not a variable of Nightshift" }]);
});

test("accepts a variable that only another process of Nightshift reads", () => {
  const config = readConfig(schema, { DATABASE_URL: "postgres://h/d", NIGHTSHIFT_CONFIG: "routes.yaml" }, "api");

  expect(config).not.toHaveProperty("NIGHTSHIFT_CONFIG");
});
