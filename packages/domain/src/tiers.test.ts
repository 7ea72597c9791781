import { expect, test } from "@jest/globals";
import { createTiers, NO_LIMITS, NO_TIERS } from "./tiers.ts";

const free = { ...NO_LIMITS, concurrentBatches: 1 };
const usual = { ...NO_LIMITS, fileBytes: 10 };

test("a tenant has the limits of its tier, or the limits of `default` if it has no tier or its tier is gone", () => {
  const tiers = createTiers({ free, default: usual });

  expect(tiers.limitsOf("free")).toBe(free);
  expect(tiers.limitsOf(null)).toBe(usual);
  expect(tiers.limitsOf("gone")).toBe(usual);
  expect([...tiers.names].sort()).toEqual(["default", "free"]);
  expect(tiers.isUnlimited).toBe(false);
});

test("`default` has no limits unless it is configured", () => {
  expect(createTiers({ free }).limitsOf(null)).toBe(NO_LIMITS);
  expect(NO_TIERS.limitsOf("free")).toBe(NO_LIMITS);
  expect(NO_TIERS.isUnlimited).toBe(true);
  expect(createTiers({ free: NO_LIMITS }).isUnlimited).toBe(true);
});
