/** A batch survives killed processes and the loss of the queue, and its user does not notice. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, type Simulator, type Stack, until } from "@nightshift/testing";
import { type Batch, type BatchClient, createBatchClient } from "./batch-client.ts";
import { interruptedBatch } from "./interrupted-batch.ts";
import { misplacedLines, recordedLines } from "./ledger.ts";
import { useStack } from "./use-stack.ts";

const { start: startBatch, expectEachLineOnce } = interruptedBatch(3_000);

/** Waits for the end, and looks at the ledger all the while. */
async function watchToTheEnd(stack: Stack, client: BatchClient, id: string): Promise<Batch> {
  return until(
    async () => {
      const misplaced = await misplacedLines(stack, id);
      if (misplaced.length > 0) throw new Error(`Lines out of place: ${JSON.stringify(misplaced.slice(0, 5))}`);
      const batch = await client.retrieve(id);
      return batch.status === "completed" && batch;
    },
    { message: "the batch is completed and its ledger sound", timeoutMs: 120_000, everyMs: 200 },
  );
}

/** The lines that reached the upstream more than once; the idempotency key is batch, line, generation. */
async function sentAgain(simulator: Simulator): Promise<number[]> {
  const seen = await simulator.seen();
  return seen.filter(({ count }) => count > 1).map(({ key }) => Number(key.split("-").at(-2)));
}

/** The shortest slices and the longest: what is lost and found again is a job each time. */
const SLICES = ["1", "64"] as const;
const CASES = availableProfiles().flatMap((profile) => SLICES.map((lines) => [profile, lines] as const));

describe.each(CASES)("%s, slices of %s", (profile, sliceLines) => {
  const { stack, simulator } = useStack({
    profile,
    simulator: { SIMULATOR_LATENCY_MS: "100" },
    env: { UPSTREAM_CONCURRENCY: "64", UPSTREAM_SLICE_LINES: sliceLines },
  });

  test.each(["worker", "api", "everything"] as const)("a batch survives kill -9 of %s", async (role) => {
    await simulator().forget();
    const client = createBatchClient(stack());
    const id = await startBatch(stack(), client);

    const before = await recordedLines(stack(), id);
    await stack().kill9(role);
    await stack().restart();
    await until(async () => (await recordedLines(stack(), id)).size > before.size, {
      message: "progress is made again",
      timeoutMs: 15_000,
    });
    const batch = await watchToTheEnd(stack(), client, id);

    await expectEachLineOnce(client, batch);
    const again = await sentAgain(simulator());
    expect(again.filter((line) => before.has(line))).toEqual([]);
    expect(role === "api" ? again : []).toEqual([]);
  });

  test("workers that get SIGTERM leave no work behind, and no line is sent twice", async () => {
    await simulator().forget();
    const client = createBatchClient(stack());
    const id = await startBatch(stack(), client);

    await stack().terminate("worker");
    await stack().restart();
    const batch = await watchToTheEnd(stack(), client, id);

    await expectEachLineOnce(client, batch);
    expect(await sentAgain(simulator())).toEqual([]);
  });

  test("a batch survives the loss of the queue without a restart", async () => {
    await simulator().forget();
    const client = createBatchClient(stack());
    const id = await startBatch(stack(), client);

    await stack().wipeQueue();
    const batch = await watchToTheEnd(stack(), client, id);

    await expectEachLineOnce(client, batch);
    expect(await sentAgain(simulator())).toEqual([]);
  });
});
