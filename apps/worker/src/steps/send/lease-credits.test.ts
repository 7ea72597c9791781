/** Tests request credits: which are left, which lapse, and how many are requested. */
import { expect, test } from "@jest/globals";
import { createLeaseCredits } from "./lease-credits.ts";
import { LINE_COST } from "./cost.ts";

const costOf = (requests: number) => ({ requests, slots: requests });

test("covers no line before the first lease", () => {
  expect(createLeaseCredits().cover(LINE_COST)).toBe(false);
});

test("covers lines until its credits are spent", () => {
  const credits = createLeaseCredits();
  credits.add(3, costOf(10));
  credits.spend(costOf(2));
  expect([credits.cover(costOf(1)), credits.cover(costOf(2))]).toEqual([true, false]);

  credits.spend(LINE_COST);

  expect(credits.cover(LINE_COST)).toBe(false);
});

test("covers every line of an upstream without a rate limit", () => {
  const credits = createLeaseCredits();
  credits.add(null, costOf(10));

  credits.spend(costOf(1_000));
  credits.lapse(costOf(0));
  credits.drop();

  expect(credits.cover(costOf(1_000))).toBe(true);
  expect(credits.hasWaited(costOf(10))).toBe(false);
});

test("adds new credits to the remaining old ones", () => {
  const credits = createLeaseCredits();
  credits.add(2, costOf(10));
  credits.add(3, costOf(10));

  expect([credits.cover(costOf(5)), credits.cover(costOf(6))]).toEqual([true, false]);
});

test("lets credits lapse that the unsent lines cannot use", () => {
  const credits = createLeaseCredits();
  credits.add(10, costOf(10));

  credits.lapse(costOf(4));
  expect([credits.cover(costOf(4)), credits.cover(costOf(5))]).toEqual([true, false]);

  credits.lapse(costOf(20));
  expect(credits.cover(costOf(5))).toBe(false);
});

test("asks for one credit per permit, at most one per unsent line, minus the credits that are left", () => {
  const credits = createLeaseCredits();
  expect(credits.wanted(costOf(100), 0)).toBe(64);
  expect(credits.wanted(costOf(10), 0)).toBe(10);
  expect(credits.wanted(costOf(100), 8)).toBe(8);

  credits.add(3, costOf(100));

  expect(credits.wanted(costOf(100), 8)).toBe(5);
  expect(credits.wanted(costOf(2), 8)).toBe(-1);
});

test("has waited if the last lease brought fewer credits than there were lines, and lines still wait", () => {
  const credits = createLeaseCredits();
  credits.add(3, costOf(4));
  expect([credits.hasWaited(costOf(1)), credits.hasWaited(costOf(0))]).toEqual([true, false]);

  credits.add(1, costOf(4));

  expect(credits.hasWaited(costOf(4))).toBe(false);
});

test("covers nothing after its credits are dropped", () => {
  const credits = createLeaseCredits();
  credits.add(3, costOf(3));

  credits.drop();

  expect(credits.cover(LINE_COST)).toBe(false);
});
