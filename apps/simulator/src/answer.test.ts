import { expect, test } from "@jest/globals";
import { answer } from "./answer.ts";
import type { SimulatorSettings } from "./settings.ts";
import { createSimulation } from "./simulation.ts";

const BODY = Buffer.from(JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] }));

/** Returns the answers to 1,000 different keys, each seen for the `nth` time. */
function answersTo(settings: Partial<SimulatorSettings>, nth = 1) {
  const simulation = createSimulation(settings);
  return Array.from({ length: 1000 }, (_, i) =>
    answer(simulation, { path: "/v1/chat/completions", body: BODY, key: `key ${String(i)}`, nth }, 0),
  );
}

const statuses = (settings: Partial<SimulatorSettings>, nth?: number) =>
  answersTo(settings, nth).map(({ status }) => status);
const delays = (settings: Partial<SimulatorSettings>) => answersTo(settings).map(({ delayMs }) => delayMs);

test("every answer has the same delay if the latency has no spread", () => {
  expect(new Set(delays({ latencyMs: 50 }))).toEqual(new Set([50]));
});

test("delays follow a log-normal distribution whose median is the latency", () => {
  const sorted = delays({ latencyMs: 100, latencySigma: 0.5 }).sort((a, b) => a - b);
  const logs = sorted.map((ms) => Math.log(ms / 100));
  const deviation = Math.sqrt(logs.reduce((sum, log) => sum + log * log, 0) / logs.length);

  expect(sorted[500]).toBeGreaterThan(90);
  expect(sorted[500]).toBeLessThan(110);
  expect(deviation).toBeGreaterThan(0.45);
  expect(deviation).toBeLessThan(0.55);
});

test("the error rate is the share of requests that fail", () => {
  const failed = statuses({ errorRate: 0.2 }).filter((status) => status === 500).length;

  expect(failed).toBeGreaterThan(150);
  expect(failed).toBeLessThan(250);
  expect(new Set(statuses({ errorRate: 1 }))).toEqual(new Set([500]));
});

test("errors and delays depend only on the seed, the key and how often the key was seen", () => {
  const settings = { errorRate: 0.5, latencyMs: 10, latencySigma: 1 };

  expect(answersTo(settings)).toEqual(answersTo(settings));
  expect(statuses({ ...settings, seed: 2 })).not.toEqual(statuses(settings));
  expect(statuses(settings, 2)).not.toEqual(statuses(settings, 1));
});

test("a reply depends only on the seed and the key, not on the delay or the error rate", () => {
  const bodies = (settings: Partial<SimulatorSettings>, nth?: number) =>
    answersTo(settings, nth).map(({ body }) => body);

  expect(bodies({ latencyMs: 10, latencySigma: 1 }, 3)).toEqual(bodies({}));
  expect(new Set(bodies({})).size).toBe(1000);
});

test("a scripted delay is added to the latency, and a scripted answer replaces it", () => {
  const simulation = createSimulation({ latencyMs: 10, faults: [{ hangMs: 500 }, { hangMs: 500, status: 503 }] });
  const next = () => answer(simulation, { path: "/v1/chat/completions", body: BODY, key: "k", nth: 1 }, 0);

  expect(next()).toMatchObject({ delayMs: 510, status: 200 });
  expect(next()).toMatchObject({ delayMs: 500, status: 503 });
  expect(next()).toMatchObject({ delayMs: 10, status: 200 });
});
