import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { loadRoutes } from "./load-routes.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "nightshift-routes-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

test("a base URL configures one upstream for every model, with the defaults", async () => {
  const routes = await loadRoutes({ UPSTREAM_BASE_URL: "http://127.0.0.1:8000/v1" }, {});

  expect(routes.upstreams).toEqual([
    {
      name: "default",
      baseUrl: "http://127.0.0.1:8000/v1",
      apiKey: null,
      concurrency: 256,
      requestsPerMinute: null,
      timeoutMs: 600_000,
      maxAttempts: 5,
      sliceLines: null,
      headers: {},
    },
  ]);
  expect(routes.resolve("any/model:at all")).toEqual({ upstream: "default", model: "any/model:at all" });
});

test("the other variables set the limits of that upstream", async () => {
  const routes = await loadRoutes(
    {
      UPSTREAM_BASE_URL: "https://api.example.com/v1",
      UPSTREAM_API_KEY: "sk-1",
      UPSTREAM_CONCURRENCY: 4,
      UPSTREAM_REQUESTS_PER_MINUTE: 600,
      UPSTREAM_TIMEOUT_SECONDS: 30,
      UPSTREAM_MAX_ATTEMPTS: 2,
      UPSTREAM_SLICE_LINES: 64,
    },
    {},
  );

  expect(routes.upstreams[0]).toMatchObject({
    apiKey: "sk-1",
    concurrency: 4,
    requestsPerMinute: 600,
    timeoutMs: 30_000,
    maxAttempts: 2,
    sliceLines: 64,
  });
});

test("a file is read from its path", async () => {
  const file = path.join(folder, "good.yaml");
  await writeFile(file, "upstreams: { one: { base_url: 'http://127.0.0.1:1/v1', api_key_env: KEY } }\n");

  const routes = await loadRoutes({ NIGHTSHIFT_CONFIG: file }, { KEY: "from the environment\n" });

  expect(routes.upstreams).toMatchObject([{ name: "one", apiKey: "from the environment" }]);
});

test("the faults of a file are reported under its path", async () => {
  const file = path.join(folder, "bad.yaml");
  await writeFile(file, "upstreams: {}\n");

  await expect(loadRoutes({ NIGHTSHIFT_CONFIG: file }, {})).rejects.toThrow(`${file} cannot be used:\n  upstreams`);
});

test.each([
  ["no upstream", {}, /UPSTREAM_BASE_URL: got nothing, expected .* or NIGHTSHIFT_CONFIG/],
  ["a missing file", { NIGHTSHIFT_CONFIG: "/nowhere/at-all.yaml" }, /\/nowhere\/at-all\.yaml \(ENOENT\)/],
  ["an invalid URL", { UPSTREAM_BASE_URL: "localhost:8000/v1" }, /UPSTREAM_BASE_URL: got "localhost:8000\/v1"/],
  ["another protocol", { UPSTREAM_BASE_URL: "ftp://host/v1" }, /UPSTREAM_BASE_URL: got "ftp/],
  ["a password in the URL", { UPSTREAM_BASE_URL: "http://user:secret@host/v1" }, /got "http:\/\/\*\*\*@host\/v1"/],
])("rejects %s with a message", async (_, config, message) => {
  await expect(loadRoutes(config, {})).rejects.toThrow(message);
});

test("rejects a file together with UPSTREAM_ variables, and names each of them", async () => {
  const both = { NIGHTSHIFT_CONFIG: "x.yaml", UPSTREAM_BASE_URL: "http://host/v1", UPSTREAM_CONCURRENCY: 3 };

  const failure = loadRoutes(both, {});

  await expect(failure).rejects.toMatchObject({
    name: "RoutesError",
    faults: [{ where: "UPSTREAM_BASE_URL" }, { where: "UPSTREAM_CONCURRENCY" }],
  });
});
