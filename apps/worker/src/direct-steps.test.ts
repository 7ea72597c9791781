/** Tests steps that run without a job: when they run, and what happens if one fails. */
import { expect, test } from "@jest/globals";
import type { WaitingSlice } from "@nightshift/db";
import { createLogger } from "@nightshift/service";
import { createDirectSteps } from "./direct-steps.ts";

const slice = (sliceNo: number): WaitingSlice => ({ sliceNo, gen: 0, upstream: "up", isBulk: false, delayMs: 0 });

function start(run: (sliceNo: number) => Promise<void>) {
  const logged: string[] = [];
  const logger = createLogger({
    name: "test",
    level: "info",
    destination: { write: (line) => void logged.push(line) },
  });
  const steps = createDirectSteps(logger);
  steps.start({ advance: () => Promise.resolve(), run: (given) => run(given.sliceNo) });
  return { steps, logged };
}

test("leaves a step to its job before the worker is started", async () => {
  const steps = createDirectSteps(createLogger({ name: "test", level: "silent" }));

  steps.advance(1);
  steps.run([slice(1)]);

  await expect(steps.idle()).resolves.toBeUndefined();
});

test("runs slices at the same time, and is idle when all have ended", async () => {
  const ends = new Map<number, () => void>();
  const { steps } = start((sliceNo) => new Promise((resolve) => ends.set(sliceNo, resolve)));
  let isIdle = false;

  steps.run([slice(1), slice(2)]);
  const idle = steps.idle().then(() => {
    isIdle = true;
  });
  expect([...ends.keys()]).toEqual([1, 2]);
  ends.get(1)?.();
  await new Promise((resolve) => setImmediate(resolve));
  expect(isIdle).toBe(false);

  ends.get(2)?.();
  await idle;
  expect(isIdle).toBe(true);
});

test("logs a step that fails, and runs all other steps", async () => {
  const ran: number[] = [];
  const { steps, logged } = start(async (sliceNo) => {
    if (sliceNo === 1) throw new Error("the database is unavailable");
    ran.push(sliceNo);
  });

  steps.run([slice(1), slice(2)]);
  await steps.idle();

  expect(ran).toEqual([2]);
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain("could not run a slice directly; its job will");
});
