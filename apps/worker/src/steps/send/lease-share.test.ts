/** Tests how many permits a worker uses and asks for. */
import { afterEach, beforeEach, expect, jest, test } from "@jest/globals";
import { LINE_COST } from "./cost.ts";
import { createLeaseShare, type LaneLoad } from "./lease-share.ts";

const load = (unsent: number, waitingSlices = 0): LaneLoad => ({
  unsent: { requests: unsent, slots: unsent },
  waitingSlices,
});

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test("has room for a line until all permits are in use", () => {
  const share = createLeaseShare();
  expect(share.hasRoomFor(LINE_COST)).toBe(false);
  share.set(2, 2);

  share.take(LINE_COST);
  expect(share.hasRoomFor({ requests: 1, slots: 2 })).toBe(false);
  share.take(LINE_COST);
  expect(share.hasRoomFor(LINE_COST)).toBe(false);
  share.release(LINE_COST);

  expect(share.hasRoomFor(LINE_COST)).toBe(true);
});

test("is in need until a second after the last line", () => {
  const share = createLeaseShare();
  expect(share.isInNeed()).toBe(false);
  share.noteLoad(load(1));

  jest.advanceTimersByTime(999);
  share.noteLoad(load(0));
  expect(share.isInNeed()).toBe(true);

  jest.advanceTimersByTime(1);
  expect(share.isInNeed()).toBe(false);
});

test("is in need while a line is in flight or a slice waits", () => {
  const share = createLeaseShare();
  share.noteLoad(load(0, 1));
  expect(share.isInNeed()).toBe(true);

  jest.advanceTimersByTime(5_000);
  share.take(LINE_COST);
  share.noteLoad(load(0));

  expect(share.isInNeed()).toBe(true);
});

test("asks for all permits while lines or slices wait, and otherwise only for the permits in use", () => {
  const share = createLeaseShare();
  expect(share.wanted(load(1))).toBe(1_000_000);
  expect(share.wanted(load(0, 1))).toBe(1_000_000);
  expect(share.wanted(load(0))).toBe(1);

  for (let i = 0; i < 3; i += 1) share.take(LINE_COST);

  expect(share.wanted(load(0))).toBe(3);
});

test("reports the slots that may be in use before the next lease: the permits, or the slots in use if more", () => {
  const share = createLeaseShare();
  share.set(3, 3);
  expect(share.ceiling()).toBe(3);
  for (let i = 0; i < 3; i += 1) share.take(LINE_COST);

  share.set(1, 3);

  expect(share.ceiling()).toBe(3);
});

test("renews until all permits are given back", () => {
  const share = createLeaseShare();
  expect(share.hasToRenew(load(0))).toBe(false);
  expect(share.hasToRenew(load(1))).toBe(true);

  share.set(2, 2);
  share.stopUsing();
  expect(share.permits()).toBe(0);
  expect(share.hasToRenew(load(0))).toBe(true);

  share.set(0, 0);
  expect(share.hasToRenew(load(0))).toBe(false);
});
