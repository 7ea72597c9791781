/** A batch that is long enough for a test to interrupt it, and the check that each of its lines came back once. */
import { expect } from "@jest/globals";
import { type Stack, until } from "@nightshift/testing";
import { type Batch, type BatchClient, chatLine } from "./batch-client.ts";
import { recordedLines } from "./ledger.ts";

export interface InterruptedBatch {
  /** Starts the batch and resolves with its id when a fifth of it is done. */
  readonly start: (stack: Stack, client: BatchClient) => Promise<string>;
  /** Expects every line in the files of the batch, once. */
  readonly expectEachLineOnce: (client: BatchClient, batch: Batch) => Promise<void>;
}

/** A batch of so many lines. */
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
