/** The speed of a batch, from counts at moments. */
import { expect, test } from "@jest/globals";
import { createLineRate } from "./line-rate.ts";

test("one look is no speed, two are", () => {
  const rate = createLineRate();
  rate.observe(0, 100);
  expect(rate.perSecond()).toBeNull();
  rate.observe(0, 110);
  expect(rate.perSecond()).toBeNull();
  rate.observe(500, 150);
  expect(rate.perSecond()).toBe(100);
});

test("what was longer than ten seconds ago does not count", () => {
  const rate = createLineRate();
  for (let second = 0; second <= 60; second += 1) rate.observe(second * 1000, Math.min(second, 30) * 10);
  expect(rate.perSecond()).toBe(0);
  for (let second = 61; second <= 80; second += 1) rate.observe(second * 1000, 300 + (second - 60) * 7);
  expect(rate.perSecond()).toBeCloseTo(7);
});

test("looks that are far apart are enough", () => {
  const rate = createLineRate();
  rate.observe(0, 0);
  rate.observe(60_000, 600);
  expect(rate.perSecond()).toBe(10);
});

test("lines that are asked for again are no negative speed", () => {
  const rate = createLineRate();
  rate.observe(0, 10);
  rate.observe(1000, 4);
  expect(rate.perSecond()).toBe(0);
});
