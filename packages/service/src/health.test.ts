import { afterEach, expect, test } from "@jest/globals";
import express from "express";
import { Gauge } from "prom-client";
import { healthRoutes, type Check } from "./health.ts";
import { listen, type Listening } from "./listen.ts";
import { createMetrics } from "./metrics.ts";

let server: Listening | null = null;

afterEach(async () => {
  await server?.close(0);
  server = null;
});

async function serve(
  checks: Record<string, Check>,
  isDraining: () => boolean = () => false,
): Promise<{ url: string; metrics: ReturnType<typeof createMetrics> }> {
  const metrics = createMetrics();
  const app = express().use(healthRoutes({ checks, metrics, isDraining }));
  server = await listen(app, { host: "127.0.0.1", port: 0 });
  return { url: server.url, metrics };
}

async function get(url: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url);
  return { status: response.status, body: await response.json() };
}

const passes: Check = () => Promise.resolve();

test("is ready when every dependency answers", async () => {
  const { url } = await serve({ postgres: passes, queue: passes });

  const ready = await get(`${url}/readyz`);

  expect(ready).toEqual({
    status: 200,
    body: { status: "ready", checks: { postgres: { ok: true }, queue: { ok: true } } },
  });
});

test("is alive but not ready with a failing dependency, and names it with the reason", async () => {
  const { url } = await serve({
    postgres: () => Promise.reject(new Error("connect ECONNREFUSED 127.0.0.1:5432")),
    // Node's error for a refused connection to a name with two addresses.
    queue: () => Promise.reject(Object.assign(new AggregateError([]), { code: "ECONNREFUSED" })),
    objects: passes,
  });

  const ready = await get(`${url}/readyz`);
  const healthy = await get(`${url}/healthz`);

  expect(ready).toEqual({
    status: 503,
    body: {
      status: "not ready",
      checks: {
        postgres: { ok: false, error: "connect ECONNREFUSED 127.0.0.1:5432" },
        queue: { ok: false, error: "ECONNREFUSED" },
        objects: { ok: true },
      },
    },
  });
  expect(healthy).toEqual({ status: 200, body: { status: "ok" } });
});

test("answers probes while a dependency hangs, without starting another check for each", async () => {
  let calls = 0;
  const { url } = await serve({
    objects: () => {
      calls += 1;
      return new Promise(() => undefined);
    },
  });

  const replies = await Promise.all([get(`${url}/readyz`), get(`${url}/readyz`)]);

  for (const reply of replies) {
    expect(reply).toEqual({
      status: 503,
      body: { status: "not ready", checks: { objects: { ok: false, error: "timed out after 2000 ms" } } },
    });
  }
  expect(calls).toBe(1);
});

test("is alive but not ready while draining, even if its dependencies answer", async () => {
  const { url } = await serve({ postgres: passes }, () => true);

  const ready = await get(`${url}/readyz`);
  const healthy = await get(`${url}/healthz`);

  expect(ready).toEqual({ status: 503, body: { status: "draining", checks: { postgres: { ok: true } } } });
  expect(healthy.status).toBe(200);
});

test("shows Node's metrics and the process' own", async () => {
  const { url, metrics } = await serve({});
  new Gauge({ name: "lines_in_flight", help: "Lines.", registers: [metrics] }).set(7);

  const response = await fetch(`${url}/metrics`);

  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  expect(text).toContain("lines_in_flight 7");
  expect(text).toContain("process_cpu_seconds_total");
});
