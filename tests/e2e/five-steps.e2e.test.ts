/** The five steps of the quick start with plain HTTP, on every profile. Start here when everything fails. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles } from "@nightshift/testing";
import { chatLine, createBatchClient } from "./batch-client.ts";
import { useStack } from "./use-stack.ts";

const QUESTIONS = ["What is 2+2?", "What is the capital of France?", "Explain quantum computing in simple terms"];

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({ profile });

  test("a batch goes from upload to results", async () => {
    const client = createBatchClient(stack());
    const input = QUESTIONS.map((question, index) => chatLine(`req-${String(index + 1)}`, question)).join("\n");

    const fileId = await client.upload(input);
    const created = await client.create(fileId);
    const batch = await client.finished(created.id);
    const lines = await client.lines(batch.output_file_id);

    expect(created.status).toBe("validating");
    expect(batch).toMatchObject({
      status: "completed",
      error_file_id: null,
      request_counts: { total: 3, completed: 3, failed: 0 },
    });
    expect(lines.map((line) => line.custom_id)).toEqual(["req-1", "req-2", "req-3"]);
    expect(lines.every((line) => line.error === null && line.response?.status_code === 200)).toBe(true);
    expect(lines[0]?.response?.body).toMatchObject({ choices: [{ message: { role: "assistant" } }] });
    expect((await client.content(fileId)).toString()).toBe(input);
  });

  test("sends each line to the upstream once", async () => {
    await simulator().forget();
    const client = createBatchClient(stack());
    const input = Array.from({ length: 200 }, (_, index) =>
      chatLine(`line-${String(index)}`, `Question ${String(index)}`),
    );

    const batch = await client.finished((await client.create(await client.upload(input.join("\n")))).id);

    expect(batch.request_counts).toEqual({ total: 200, completed: 200, failed: 0 });
    expect(await simulator().stats()).toMatchObject({ requests: 200, distinct: 200, repeated: 0 });
  });
});
