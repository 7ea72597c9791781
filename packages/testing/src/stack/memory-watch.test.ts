import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import type { StackProcess } from "./environment.ts";
import { watchMemory } from "./memory-watch.ts";

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test("a slow measurement delays the next measurement instead of overlapping it", async () => {
  const ends: (() => void)[] = [];
  const watch = watchMemory(
    () =>
      new Promise<readonly StackProcess[]>((resolve) => {
        ends.push(() => {
          resolve([]);
        });
      }),
  );

  await jest.advanceTimersByTimeAsync(5_000);
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await jest.advanceTimersByTimeAsync(500);
  expect(ends).toHaveLength(2);
  watch.stop();
});
