/** The largest batch, 50,000 lines of 2 KB: bounded memory and a short queue. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, until } from "@nightshift/testing";
import { chatLine, createBatchClient } from "./batch-client.ts";
import { handedOut, misplacedLines } from "./ledger.ts";
import { useStack } from "./use-stack.ts";

const LINES = 50_000;
const QUESTION_BYTES = 1_900;
const WINDOW_BYTES = 8 * 1024 * 1024;
const MAX_RSS_BYTES = 400 * 1024 * 1024;

describe.each(availableProfiles())("%s", (profile) => {
  const { stack } = useStack({ profile });

  test("50,000 lines complete once each, with bounded memory and a short queue", async () => {
    const client = createBatchClient(stack());
    const customIds = Array.from({ length: LINES }, (_, index) => `line-${String(index)}`);
    const question = "Why is it so? ".repeat(QUESTION_BYTES).slice(0, QUESTION_BYTES);
    const { id } = await client.create(await client.upload(customIds.map((one) => chatLine(one, question)).join("\n")));

    let mostJobs = 0;
    let mostBytes = 0;
    const batch = await until(
      async () => {
        mostJobs = Math.max(mostJobs, await stack().queueLength());
        mostBytes = Math.max(mostBytes, (await handedOut(stack())).bytes);
        const misplaced = await misplacedLines(stack(), id);
        if (misplaced.length > 0) throw new Error(`Lines out of place: ${JSON.stringify(misplaced.slice(0, 5))}`);
        const now = await client.retrieve(id);
        return ["completed", "failed"].includes(now.status) && now;
      },
      { message: "the batch is final", timeoutMs: 200_000, everyMs: 500 },
    );
    const lines = [...(await client.lines(batch.output_file_id)), ...(await client.lines(batch.error_file_id))];

    expect(batch).toMatchObject({ status: "completed", request_counts: { total: LINES, completed: LINES, failed: 0 } });
    expect(new Set(lines.map((line) => line.custom_id)).size).toBe(LINES);
    expect(lines).toHaveLength(LINES);
    expect((await stack().memoryPeaks()).filter(({ bytes }) => bytes > MAX_RSS_BYTES)).toEqual([]);
    expect(mostBytes).toBeGreaterThan(0);
    expect(mostBytes).toBeLessThanOrEqual(WINDOW_BYTES);
    // Most jobs are slices of several lines. Only a few jobs advance batches and feed lines.
    expect(mostJobs).toBeLessThan(LINES / 50);
  });
});
