/** Each line of a batch is in the batch's files once, even after kill -9 of all processes. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles } from "@nightshift/testing";
import { expectToSurviveKill9, interruptedBatch } from "./interrupted-batch.ts";
import { useStack } from "./use-stack.ts";

const interrupted = interruptedBatch(1_500);

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({
    profile,
    simulator: { SIMULATOR_LATENCY_MS: "100" },
    env: { UPSTREAM_CONCURRENCY: "64" },
  });

  test("a batch survives kill -9 of everything, and has each line once", async () => {
    expect.hasAssertions();
    await expectToSurviveKill9(interrupted, stack(), simulator(), "everything");
  });
});
