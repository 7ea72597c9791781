import { afterEach, expect, test } from "@jest/globals";
import { setImmediate as turn } from "node:timers/promises";
import { createLogger } from "@nightshift/service";
import { type Simulator, type SimulatorOptions, type SimulatorSettings, startSimulator, type Stats } from "./server.ts";

const simulators: Simulator[] = [];

afterEach(async () => {
  for (let simulator = simulators.pop(); simulator !== undefined; simulator = simulators.pop()) await simulator.close();
});

async function start(settings: Partial<SimulatorSettings> = {}, options: SimulatorOptions = {}): Promise<string> {
  const simulator = await startSimulator(settings, options);
  simulators.push(simulator);
  return simulator.url;
}

const CHAT = { model: "gpt-4", messages: [{ role: "user", content: "What is 2+2?" }] };

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body), headers });
}

const chat = (url: string, key?: string, content = "hi"): Promise<Response> =>
  post(
    `${url}/v1/chat/completions`,
    { model: "m", messages: [{ role: "user", content }] },
    key === undefined ? {} : { "idempotency-key": key },
  );

const put = (url: string, settings: unknown): Promise<Response> =>
  fetch(`${url}/_simulator/settings`, { method: "PUT", body: JSON.stringify(settings) });

async function stats(url: string): Promise<Stats> {
  return (await (await fetch(`${url}/_simulator/stats`)).json()) as Stats;
}

test.each(["/v1", "/openai/v1", "", "/any/prefix/at/all"])("serves below %j and marks every reply", async (prefix) => {
  const url = await start();

  const response = await post(`${url}${prefix}/chat/completions`, CHAT);

  expect(response.status).toBe(200);
  expect(response.headers.get("x-nightshift-simulator")).toBe("1");
  expect(await response.json()).toMatchObject({ system_fingerprint: "nightshift-simulator" });
});

test("returns the same bytes for the same request and seed", async () => {
  const [one, two, other] = [await start(), await start(), await start({ seed: 2 })];
  const ask = async (url: string) => (await post(`${url}/v1/chat/completions`, CHAT)).text();

  expect(await ask(one)).toBe(await ask(two));
  expect(await ask(one)).not.toBe(await ask(other));
});

test.each([
  ["chat/completions", "{not json", 400, null],
  ["chat/completions", "[1]", 400, null],
  ["chat/completions", '{"messages":[{"role":"user","content":"a"}]}', 400, "model"],
  ["chat/completions", '{"model":"m"}', 400, "messages"],
  ["chat/completions", '{"model":"m","messages":[{"content":"a"}]}', 400, "messages[0].role"],
  ["chat/completions", '{"model":"m","messages":[{"role":"user"}],"n":9}', 400, "n"],
  ["chat/completions", '{"model":"m","messages":[{"role":"user"}],"stream":true}', 400, "stream"],
  ["embeddings", '{"model":"m","input":[]}', 400, "input"],
  ["embeddings", '{"model":"m","input":"a","dimensions":0}', 400, "dimensions"],
  ["audio/speech", "{}", 404, null],
])("POST /v1/%s with %s returns %d in OpenAI's envelope with param %j", async (path, body, status, param) => {
  const url = await start();

  const response = await post(`${url}/v1/${path}`, body);

  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({
    error: {
      message: expect.any(String),
      type: "invalid_request_error",
      param,
      code: param === null && status === 400 ? null : expect.any(String),
    },
  });
});

test("lists the simulator as the only model", async () => {
  const url = await start();

  expect(await (await fetch(`${url}/v1/models`)).json()).toEqual({
    object: "list",
    data: [expect.objectContaining({ id: "nightshift-simulator", owned_by: "nightshift-simulator" })],
  });
});

test("returns 429 with Retry-After beyond the rate limit", async () => {
  const url = await start({ requestsPerMinute: 2 });

  const responses = [await chat(url), await chat(url), await chat(url)];

  expect(responses.map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(Number(responses[2]?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  expect(Number(responses[2]?.headers.get("retry-after"))).toBeLessThanOrEqual(60);
  expect(await responses[2]?.json()).toMatchObject({ error: { code: "rate_limit_exceeded" } });
});

test("returns 429 beyond the concurrency, until a request ends", async () => {
  const url = await start({ concurrency: 1, faults: [{ match: "slow", hangMs: 60_000 }] });
  const abort = new AbortController();
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "slow" }] });
  const slow = fetch(`${url}/v1/chat/completions`, { method: "POST", body, signal: abort.signal });
  while ((await stats(url)).inFlight < 1) await turn();

  expect((await chat(url)).status).toBe(429);
  abort.abort();
  await expect(slow).rejects.toThrow();
  while ((await stats(url)).inFlight > 0) await turn();

  expect((await chat(url)).status).toBe(200);
  expect((await stats(url)).byStatus).toEqual({ 0: 1, 200: 1, 429: 1 });
});

test("answers with the scripted faults in order, and then normally", async () => {
  const url = await start();
  await put(url, {
    faults: [
      { match: "unlucky", status: 400, body: '{"own" : "bytes"}', headers: { "x-own": "yes" } },
      { match: "unlucky", cut: true },
      { match: "unlucky", status: 503 },
    ],
  });

  const first = await chat(url, "a", "unlucky");
  expect([first.status, await first.text(), first.headers.get("x-own")]).toEqual([400, '{"own" : "bytes"}', "yes"]);
  expect((await chat(url, "b", "lucky")).status).toBe(200);
  await expect(chat(url, "a", "unlucky")).rejects.toThrow();
  expect((await chat(url, "a", "unlucky")).status).toBe(503);
  expect((await chat(url, "a", "unlucky")).status).toBe(200);

  expect(await (await fetch(`${url}/_simulator/seen`)).text()).toBe(
    '{"key":"a","count":4,"statuses":[400,0,503,200]}\n{"key":"b","count":1,"statuses":[200]}\n',
  );
});

/** V8 parses this text without recursion but prints it with recursion, which fails. */
const TOO_DEEP = `{"model":"m","input":"hi","metadata":{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}}`;

test.each([
  ["an answer that cannot be made", TOO_DEEP],
  ["an answer that cannot be sent", '{"model":"m","input":"broken header"}'],
  ["a late answer that cannot be sent", '{"model":"m","input":"late"}'],
])("%s becomes a logged and counted 500 in OpenAI's envelope, and the next request succeeds", async (_, body) => {
  const log: string[] = [];
  const destination = { write: (line: string) => void log.push(line) };
  const headers = { "x-broken": "line\nbreak" };
  const faults = [
    { match: "broken header", status: 503, headers },
    { match: "late", status: 503, headers, hangMs: 1 },
  ];
  const url = await start({ faults }, { logger: createLogger({ name: "test", level: "error", destination }) });

  const response = await post(`${url}/v1/responses`, body);

  expect(response.status).toBe(500);
  expect(await response.json()).toMatchObject({ error: { type: "server_error", code: "internal_error" } });
  expect(log).toHaveLength(1);
  expect((await chat(url)).status).toBe(200);
  expect(await stats(url)).toMatchObject({ inFlight: 0, byStatus: { 200: 1, 500: 1 } });
});

test("sends the bytes of a raw reply unchanged", async () => {
  const rawReply = '{ "b":1, "a" : 1.0000000000000000000001, "a":"é" }\n';
  const url = await start({ rawReply });

  expect(Buffer.from(await (await chat(url)).arrayBuffer())).toEqual(Buffer.from(rawReply));
});

test("returns the latest received body of each key", async () => {
  const url = await start({ keepBodies: 2 });
  const bodyOf = async (key: string) => fetch(`${url}/_simulator/bodies?key=${key}`);

  for (const key of ["one", "two", "three"]) await chat(url, key, `${key}, first`);
  await post(`${url}/v1/embeddings`, '{ "model" :"m","input":"ü" }', { "idempotency-key": "two" });

  expect((await bodyOf("one")).status).toBe(404);
  expect(await (await bodyOf("two")).text()).toBe('{ "model" :"m","input":"ü" }');
  expect(await (await bodyOf("three")).text()).toContain("three, first");
});

test("recognises a repeated request without an idempotency key by its body", async () => {
  const url = await start();

  for (const content of ["a", "b", "a"]) await chat(url, undefined, content);

  expect(await stats(url)).toMatchObject({ requests: 3, distinct: 2, repeated: 1, byStatus: { 200: 3 } });
});

test("deletes the recorded requests on DELETE", async () => {
  const url = await start();
  await chat(url, "a");

  await fetch(`${url}/_simulator/seen`, { method: "DELETE" });

  expect(await stats(url)).toMatchObject({ requests: 0, distinct: 0, byStatus: {} });
  expect(await (await fetch(`${url}/_simulator/seen`)).text()).toBe("");
});

test("rejects a change with one invalid setting, and keeps the current settings", async () => {
  const url = await start({ latencyMs: 1 });

  const response = await put(url, { seed: 3, errorRate: 7 });

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { message: "/errorRate: expected a share from 0 to 1" } });
  expect(await (await fetch(`${url}/_simulator/settings`)).json()).toMatchObject({
    latencyMs: 1,
    seed: 1,
    errorRate: 0,
  });
  expect((await put(url, "no map")).status).toBe(400);
});

test("does not start with invalid settings", async () => {
  await expect(startSimulator({ errorRate: -1 })).rejects.toThrow("/errorRate");
});
