/** Tests when a lease is renewed. */
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { createLeaseRenewal } from "./lease-renewal.ts";

function start(intervalMs: number | null) {
  const state = { intervalMs, renewals: 0, announced: 0, finish: (): void => undefined };
  const renewal = createLeaseRenewal({
    intervalMs: () => state.intervalMs,
    renew: () => {
      state.renewals += 1;
      return new Promise((resolve) => {
        state.finish = resolve;
      });
    },
    onRenewed: () => {
      state.announced += 1;
    },
  });
  const finish = async (): Promise<void> => {
    state.finish();
    await jest.advanceTimersByTimeAsync(0);
  };
  return { state, renewal, finish };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test("renews immediately the first time, and then after each interval", async () => {
  const { state, renewal, finish } = start(150);
  renewal.schedule();
  await jest.advanceTimersByTimeAsync(1);
  expect(state.renewals).toBe(1);
  await finish();

  await jest.advanceTimersByTimeAsync(149);
  expect(state.renewals).toBe(1);
  await jest.advanceTimersByTimeAsync(1);

  expect(state.renewals).toBe(2);
});

test("runs one renewal at a time, however often it is asked", async () => {
  const { state, renewal } = start(150);
  renewal.schedule();
  renewal.schedule();
  await jest.advanceTimersByTimeAsync(1);

  renewal.schedule();
  await jest.advanceTimersByTimeAsync(10_000);

  expect(state.renewals).toBe(1);
});

test("brings a renewal forward when the interval becomes shorter, and never delays it", async () => {
  const { state, renewal, finish } = start(150);
  renewal.schedule();
  await jest.advanceTimersByTimeAsync(1);
  await finish();
  await jest.advanceTimersByTimeAsync(10);

  state.intervalMs = 25;
  renewal.schedule();
  state.intervalMs = 150;
  renewal.schedule();
  await jest.advanceTimersByTimeAsync(14);
  expect(state.renewals).toBe(1);
  await jest.advanceTimersByTimeAsync(1);

  expect(state.renewals).toBe(2);
});

test("does not renew while no renewal is needed", async () => {
  const { state, renewal } = start(null);
  renewal.schedule();
  await jest.advanceTimersByTimeAsync(10_000);
  expect(state.renewals).toBe(0);

  state.intervalMs = 150;
  renewal.schedule();
  await jest.advanceTimersByTimeAsync(1);

  expect(state.renewals).toBe(1);
});

test("announces each renewal when the lease is new", async () => {
  const { state, renewal, finish } = start(150);
  renewal.schedule();
  expect(renewal.ageMs()).toBe(Infinity);
  await jest.advanceTimersByTimeAsync(1);
  expect(state.announced).toBe(0);

  await finish();

  expect([state.announced, renewal.ageMs()]).toEqual([1, 0]);
});

test("does not renew after it is closed", async () => {
  const { state, renewal, finish } = start(150);
  renewal.schedule();
  await jest.advanceTimersByTimeAsync(1);
  renewal.close();
  await finish();

  renewal.schedule();
  await jest.advanceTimersByTimeAsync(10_000);

  expect(state.renewals).toBe(1);
  expect(jest.getTimerCount()).toBe(0);
});
