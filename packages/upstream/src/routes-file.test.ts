import { expect, test } from "@jest/globals";
import { RoutesError } from "./routes-error.ts";
import { parseRoutes } from "./routes-file.ts";

function faultsOf(text: string, env: Record<string, string> = {}): string[] {
  try {
    parseRoutes(text, "nightshift.yaml", env);
  } catch (error) {
    if (!(error instanceof RoutesError)) throw error;
    return error.message.split("\n  ").slice(1);
  }
  return [];
}

test("reads the upstreams, in order, and the routes of a file", () => {
  const routes = parseRoutes(
    `
    upstreams:
      gateway:
        base_url: http://gateway:3000/openai/v1
        api_key: sk-literal
        concurrency: 8
        requests_per_minute: 600
        timeout_seconds: 120
        max_attempts: 3
        slice_lines: 1
        headers: { X-Team: night }
      local:
        base_url: http://127.0.0.1:8000/v1
        api_key_env: LOCAL_KEY
    models:
      gpt-4: { upstream: gateway, as: "tensorzero::model_name::{model}" }
      "llama-*": { upstream: local }
    `,
    "nightshift.yaml",
    { LOCAL_KEY: "sk-named" },
  );

  expect(routes.upstreams).toEqual([
    {
      name: "gateway",
      baseUrl: "http://gateway:3000/openai/v1",
      apiKey: "sk-literal",
      concurrency: 8,
      requestsPerMinute: 600,
      timeoutMs: 120_000,
      maxAttempts: 3,
      sliceLines: 1,
      headers: { "X-Team": "night" },
    },
    {
      name: "local",
      baseUrl: "http://127.0.0.1:8000/v1",
      apiKey: "sk-named",
      concurrency: 256,
      requestsPerMinute: null,
      timeoutMs: 600_000,
      maxAttempts: 5,
      sliceLines: null,
      headers: {},
    },
  ]);
  expect(routes.resolve("gpt-4")).toEqual({ upstream: "gateway", model: "tensorzero::model_name::gpt-4" });
  expect(routes.resolve("llama-3")).toEqual({ upstream: "local", model: "llama-3" });
  expect(routes.resolve("mistral")).toBeNull();
});

test("one upstream without models serves every model", () => {
  const routes = parseRoutes("upstreams: { only: { base_url: 'http://h/v1' } }", "nightshift.yaml", {});

  expect(routes.resolve("whatever")).toEqual({ upstream: "only", model: "whatever" });
});

test("reports all faults together, each with its path, its line, the value and what is expected", () => {
  const faults = faultsOf(`upstreams:
  Gate_way:
    base_url: http://x/v1
  b:
    base_url: ftp://x
    api_key: 12345
    concurrency: 0
    max_attemps: 3
  c:
    api_key_env: NOPE
  d:
    base_url: https://x/v1
    api_key_env: NOPE
models:
  gpt-4.1: { upstream: zz }
  "a*b": { upstream: c }
extra: 1
`);

  expect(faults).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^upstreams\.Gate_way \(line 3\): got "Gate_way", expected a name of 1 to 40/),
      expect.stringMatching(/^upstreams\.b\.api_key \(line 6\): got a number, expected the API key, as a string$/),
      expect.stringMatching(/^upstreams\.b\.concurrency \(line 7\): got 0, expected a whole number from 1 to/),
      expect.stringMatching(/^upstreams\.b\.max_attemps \(line 8\): got an unknown key, expected one of base_url, /),
      expect.stringMatching(/^upstreams\.c\.base_url \(line 10\): got nothing, expected an http or https URL/),
      expect.stringMatching(/^upstreams\.d\.api_key_env \(line 13\): got NOPE, which is not set/),
      expect.stringMatching(/^models\.gpt-4\.1\.upstream \(line 15\): got "zz", expected one of Gate_way, b, c, d$/),
      expect.stringMatching(
        /^models\.a\*b \(line 16\): got "a\*b", expected a model, a prefix that ends in \*, or \*$/,
      ),
      expect.stringMatching(/^extra \(line 17\): got an unknown key, expected one of upstreams, models, tiers$/),
    ]),
  );
  expect(faults).toHaveLength(9);
});

const upstream = (settings: string): string => `upstreams: { a: { base_url: 'http://h/v1', ${settings} } }`;

test.each([
  ["an empty file", "", /^the file: got nothing/],
  ["a list", "[]", /^the file \(line 1\): got a list/],
  ["text that is not YAML", "upstreams: {a: 3", /^the file \(line 1\): got text that is not YAML/],
  [
    "a key that occurs twice",
    "upstreams: {}\nupstreams: {}",
    /^the file \(line 2\): got text that is not YAML .*unique/,
  ],
  ["no upstream", "upstreams: {}", /^upstreams \(line 1\): got an empty map/],
  [
    "several upstreams without routes",
    "upstreams: { a: { base_url: 'http://h/v1' }, b: { base_url: 'http://h/v1' } }",
    /^models: got nothing, expected routes/,
  ],
  ["two sources of a key", upstream("api_key: x, api_key_env: KEY"), /got both api_key and api_key_env/],
  [
    "an API key that spans two lines",
    upstream('api_key: "x\\ny"'),
    /^upstreams\.a\.api_key .*characters that a header must not have/,
  ],
  ["a reserved header", upstream("headers: { Content-Type: text/plain }"), /^upstreams\.a\.headers\.Content-Type/],
  [
    "an API key together with an authorization header",
    upstream("api_key: x, headers: { Authorization: y }"),
    /both authorization and an API/,
  ],
  ["a header's name with a space", upstream("headers: { 'a b': y }"), /expected a header name/],
  ["a header that spans two lines", upstream('headers: { a: "x\\ny" }'), /expected one line of Latin-1 text/],
  ["a fraction", upstream("timeout_seconds: 1.5"), /got 1\.5, expected a whole number of seconds from 1 to 86400/],
])("refuses %s", (_, text, fault) => {
  expect(faultsOf(text, { KEY: "k" })).toEqual([expect.stringMatching(fault)]);
});

test("shows no secret in any fault", () => {
  const text = `upstreams:
  a: { base_url: 'http://user:hunter2@h/v1', api_key: { hunter2: hunter2 } }
  b: { base_url: 'http://h/v1', headers: { x-secret: [hunter2], y: "hunter2\\n" } }
  c: { base_url: 'http://user:hunter2@h/v1' }
`;

  const faults = faultsOf(text);

  expect(faults.length).toBeGreaterThanOrEqual(3);
  expect(faults.join("\n")).not.toContain("hunter2");
});
