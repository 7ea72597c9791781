/** The speed of a batch, calculated from counts over time. */
import { expect, test } from "@jest/globals";
import { createLineRate } from "./line-rate.ts";

test("has no speed after one observation, and a speed after two", () => {
  const rate = createLineRate();
  rate.observe(0, 100);
  expect(rate.perSecond()).toBeNull();
  rate.observe(0, 110);
  expect(rate.perSecond()).toBeNull();
  rate.observe(500, 150);
  expect(rate.perSecond()).toBe(100);
});

test("ignores observations that are older than ten seconds", () => {
  const rate = createLineRate();
  for (let second = 0; second <= 60; second += 1) rate.observe(second * 1000, Math.min(second, 30) * 10);
  expect(rate.perSecond()).toBe(0);
  for (let second = 61; second <= 80; second += 1) rate.observe(second * 1000, 300 + (second - 60) * 7);
  expect(rate.perSecond()).toBeCloseTo(7);
});

test("uses two observations that are far apart", () => {
  const rate = createLineRate();
  rate.observe(0, 0);
  rate.observe(60_000, 600);
  expect(rate.perSecond()).toBe(10);
});

test("is zero, not negative, when a retry lowers the count", () => {
  const rate = createLineRate();
  rate.observe(0, 10);
  rate.observe(1000, 4);
  expect(rate.perSecond()).toBe(0);
});
