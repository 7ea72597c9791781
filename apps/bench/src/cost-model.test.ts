import { expect, test } from "@jest/globals";
import { predictRate } from "./cost-model.ts";

const deployment = { workers: 4, concurrencyEach: 64, latencyMs: 200, cpuMicroseconds: 500, cores: 2 };

test("predicts that slots limit a slow upstream, and cores limit a fast one", () => {
  expect(predictRate(deployment)).toBe(1_280);
  expect(predictRate({ ...deployment, latencyMs: 1 })).toBe(4_000);
});
