/** A batch survives killed processes and the loss of the queue, and its user does not notice. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles } from "@nightshift/testing";
import { createBatchClient } from "./batch-client.ts";
import { expectToSurviveKill9, interruptedBatch, sentAgain, watchToTheEnd } from "./interrupted-batch.ts";
import { useStack } from "./use-stack.ts";

const interrupted = interruptedBatch(3_000);

/** The shortest and the longest slices: each slice that is lost and found again is one job. */
const SLICES = ["1", "64"] as const;
const CASES = availableProfiles().flatMap((profile) => SLICES.map((lines) => [profile, lines] as const));

describe.each(CASES)("%s, slices of %s", (profile, sliceLines) => {
  const { stack, simulator } = useStack({
    profile,
    simulator: { SIMULATOR_LATENCY_MS: "100" },
    env: { UPSTREAM_CONCURRENCY: "64", UPSTREAM_SLICE_LINES: sliceLines },
  });

  test.each(["worker", "api", "everything"] as const)("a batch survives kill -9 of %s", async (role) => {
    expect.hasAssertions();
    await expectToSurviveKill9(interrupted, stack(), simulator(), role);
  });

  test("workers that get SIGTERM leave no work behind, and no line is sent twice", async () => {
    await simulator().forget();
    const client = createBatchClient(stack());
    const id = await interrupted.start(stack(), client);

    await stack().terminate("worker");
    await stack().restart();
    const batch = await watchToTheEnd(stack(), client, id);

    await interrupted.expectEachLineOnce(client, batch);
    expect(await sentAgain(simulator())).toEqual([]);
  });

  test("a batch survives the loss of the queue without a restart", async () => {
    await simulator().forget();
    const client = createBatchClient(stack());
    const id = await interrupted.start(stack(), client);

    await stack().wipeQueue();
    const batch = await watchToTheEnd(stack(), client, id);

    await interrupted.expectEachLineOnce(client, batch);
    expect(await sentAgain(simulator())).toEqual([]);
  });
});
