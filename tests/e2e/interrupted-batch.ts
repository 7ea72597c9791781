/** A batch that is long enough for a test to interrupt it, and the checks that each of its lines came back once. */
import { expect } from "@jest/globals";
import { type Role, type Simulator, type Stack, until } from "@nightshift/testing";
import { type Batch, type BatchClient, chatLine, createBatchClient } from "./batch-client.ts";
import { misplacedLines, recordedLines } from "./ledger.ts";

export interface InterruptedBatch {
  /** Starts the batch and resolves with its id when a fifth of it is done. */
  readonly start: (stack: Stack, client: BatchClient) => Promise<string>;
  /** Expects every line in the files of the batch, once. */
  readonly expectEachLineOnce: (client: BatchClient, batch: Batch) => Promise<void>;
}

/** A batch of `total` lines. */
export function interruptedBatch(total: number): InterruptedBatch {
  const customIds = Array.from({ length: total }, (_, index) => `line-${String(index)}`);
  const input = customIds.map((id) => chatLine(id, `Question of ${id}`)).join("\n");
  return {
    async start(stack, client) {
      const { id } = await client.create(await client.upload(input));
      await until(async () => (await recordedLines(stack, id)).size > total / 5, {
        message: "a fifth of the lines is done",
        timeoutMs: 60_000,
        everyMs: 100,
      });
      return id;
    },
    async expectEachLineOnce(client, batch) {
      const lines = [...(await client.lines(batch.output_file_id)), ...(await client.lines(batch.error_file_id))];

      expect(batch.request_counts).toEqual({ total, completed: total, failed: 0 });
      expect(lines.map((line) => line.custom_id).sort()).toEqual([...customIds].sort());
    },
  };
}

/** Runs the batch, kills all processes of a role with kill -9 in the middle, and expects that no line is lost. */
export async function expectToSurviveKill9(
  { start, expectEachLineOnce }: InterruptedBatch,
  stack: Stack,
  simulator: Simulator,
  role: Role | "everything",
): Promise<void> {
  await simulator.forget();
  const client = createBatchClient(stack);
  const id = await start(stack, client);

  const before = await recordedLines(stack, id);
  await stack.kill9(role);
  await stack.restart();
  await until(async () => (await recordedLines(stack, id)).size > before.size, {
    message: "the batch makes progress again",
    timeoutMs: 15_000,
  });
  const batch = await watchToTheEnd(stack, client, id);

  await expectEachLineOnce(client, batch);
  const again = await sentAgain(simulator);
  expect(again.filter((line) => before.has(line))).toEqual([]);
  expect(role === "api" ? again : []).toEqual([]);
}

/** Waits until the batch is completed, and checks the ledger at each poll. */
export async function watchToTheEnd(stack: Stack, client: BatchClient, id: string): Promise<Batch> {
  return until(
    async () => {
      const misplaced = await misplacedLines(stack, id);
      if (misplaced.length > 0) throw new Error(`Lines out of place: ${JSON.stringify(misplaced.slice(0, 5))}`);
      const batch = await client.retrieve(id);
      return batch.status === "completed" && batch;
    },
    { message: "the batch is completed and its ledger is consistent", timeoutMs: 120_000, everyMs: 200 },
  );
}

/** Returns the lines that reached the upstream more than once. The idempotency key is batch, line and generation. */
export async function sentAgain(simulator: Simulator): Promise<number[]> {
  const seen = await simulator.seen();
  return seen.filter(({ count }) => count > 1).map(({ key }) => Number(key.split("-").at(-2)));
}
