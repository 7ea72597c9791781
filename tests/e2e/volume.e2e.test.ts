/** The largest batch that is allowed, 50,000 lines of 2 KB, and what it may cost: memory and places in the queue. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, until } from "@nightshift/testing";
import { chatLine, createBatchClient } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

const LINES = 50_000;
const QUESTION_BYTES = 1_900;
const MAX_RSS_BYTES = 400 * 1024 * 1024;

describe.each(availableProfiles())("%s", (profile) => {
  const { stack } = useStack({ profile });

  test("50,000 lines complete, each once, in bounded memory and a short queue", async () => {
    const client = createBatchClient(stack());
    const customIds = Array.from({ length: LINES }, (_, index) => `line-${String(index)}`);
    const question = "Why is it so? ".repeat(QUESTION_BYTES).slice(0, QUESTION_BYTES);
    const { id } = await client.create(await client.upload(customIds.map((one) => chatLine(one, question)).join("\n")));

    let mostJobs = 0;
    const batch = await until(
      async () => {
        mostJobs = Math.max(mostJobs, await stack().queueLength());
        const now = await client.retrieve(id);
        return ["completed", "failed"].includes(now.status) && now;
      },
      { message: "the batch is final", timeoutMs: 200_000, everyMs: 250 },
    );
    const lines = [...(await client.lines(batch.output_file_id)), ...(await client.lines(batch.error_file_id))];

    expect(batch).toMatchObject({ status: "completed", request_counts: { total: LINES, completed: LINES, failed: 0 } });
    expect(new Set(lines.map((line) => line.custom_id)).size).toBe(LINES);
    expect(lines).toHaveLength(LINES);
    expect((await stack().memoryPeaks()).filter(({ bytes }) => bytes > MAX_RSS_BYTES)).toEqual([]);
    // Its window is 8 MB of lines; jobs for all of them would be ten times as many.
    expect(mostJobs).toBeLessThan(LINES / 10);
  });
});
