import { expect, test } from "@jest/globals";
import { createRateLimit } from "./rate-limit.ts";

test("within any 60 seconds, so many are admitted and no more", () => {
  const limit = createRateLimit(2);

  expect(limit.admit(0)).toBeNull();
  expect(limit.admit(10_000)).toBeNull();
  expect(limit.admit(59_999)).toBe(1);
  expect(limit.admit(60_000)).toBeNull();
  expect(limit.admit(60_001)).toBe(9_999);
  expect(limit.admit(70_000)).toBeNull();
  expect(limit.admit(70_000)).toBe(50_000);
});
