import { expect, test } from "@jest/globals";
import { createSimulation } from "./simulation.ts";

test("gives a request the first fault that matches it, until that fault is used up", () => {
  const simulation = createSimulation({
    faults: [{ match: '"a"', status: 500, times: 2 }, { match: '"b"', status: 503 }, { status: 400 }],
  });
  const take = (text: string) => simulation.script().take(Buffer.from(text))?.status ?? null;

  expect(take('{"x":"b"}')).toBe(503);
  expect(take('{"x":"a"}')).toBe(500);
  expect(simulation.settings().faults).toEqual([
    { match: '"a"', status: 500, times: 1 },
    { status: 400, times: 1 },
  ]);
  expect(take('{"x":"a"}')).toBe(500);
  expect(take('{"x":"a"}')).toBe(400);
  expect(take('{"x":"a"}')).toBeNull();
});

test("admits only the given number of requests in any 60 seconds", () => {
  const limit = createSimulation({ requestsPerMinute: 2 }).rateLimit();

  expect(limit?.admit(0)).toBeNull();
  expect(limit?.admit(10_000)).toBeNull();
  expect(limit?.admit(59_999)).toBe(1);
  expect(limit?.admit(60_000)).toBeNull();
  expect(limit?.admit(60_001)).toBe(9_999);
  expect(limit?.admit(70_000)).toBeNull();
  expect(limit?.admit(70_000)).toBe(50_000);
});

test("a change of other settings keeps the rate limit's window and the remaining faults", () => {
  const simulation = createSimulation({ requestsPerMinute: 1, faults: [{ status: 500 }] });
  simulation.rateLimit()?.admit(0);
  simulation.script().take(Buffer.from("{}"));

  simulation.change({ latencyMs: 5 });

  expect(simulation.rateLimit()?.admit(1)).toBe(59_999);
  expect(simulation.settings().faults).toEqual([]);
});
