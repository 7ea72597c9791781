/** Contract §3.3 to §3.5 and §5.3 for every client: batches that fail, are cancelled or expire. */
import { expect, test } from "@jest/globals";
import type { Json } from "../clients/client.ts";
import { expectRefusal } from "../expectations.ts";
import type { ClientFixture } from "../fixture.ts";

const NO_COUNTS = { total: 0, completed: 0, failed: 0 };
const ENDS = ["completed", "failed", "expired", "cancelled"];

/** Expects that the timestamp of this end is set, and that the timestamps of all other ends are null. */
function expectOnlyEnd(batch: Json, end: string): void {
  expect(batch["status"]).toBe(end);
  for (const other of ENDS) {
    expect({ [other]: batch[`${other}_at`] }).toEqual({ [other]: other === end ? expect.any(Number) : null });
  }
}

/** Returns the lines of a result file. */
const linesOf = (bytes: Buffer): Json[] =>
  bytes
    .toString("utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Json);

/** Registers the rows. */
export function batchEndRows({ name, client, batches }: ClientFixture): void {
  test("§3.4, §7.10, §7.11, §7.13: invalid lines fail the batch, and the errors come in the order of the lines", async () => {
    const batch = await batches().faulty;

    expectOnlyEnd(batch, "failed");
    expect(batch).toMatchObject({
      in_progress_at: null,
      output_file_id: null,
      error_file_id: null,
      request_counts: NO_COUNTS,
    });
    expect(batch["errors"]).toEqual({
      object: "list",
      data: [
        { code: "invalid_json_line", message: "This line is not parseable as valid JSON.", param: null, line: 2 },
        {
          code: "missing_required_parameter",
          message: "Missing required parameter: 'custom_id'.",
          param: "custom_id",
          line: 3,
        },
        {
          code: "invalid_url",
          message: "The URL provided for this request does not match the batch endpoint.",
          param: "url",
          line: 4,
        },
        {
          code: "streaming_unsupported",
          message: "Chat Completions: Streaming is not supported in the Batch API.",
          param: "body.stream",
          line: 5,
        },
        {
          code: "duplicate_custom_id",
          message:
            "The custom_id for this request is a duplicate of another request. The custom_id parameter must be unique for each request in a batch.",
          param: "custom_id",
          line: 6,
        },
        {
          code: "mismatched_model",
          message:
            "The model 'gpt-5' for this request does not match the rest of the batch. Each batch must contain requests for a single model.",
          param: "body.model",
          line: 7,
        },
        {
          code: "invalid_json_line",
          message:
            "This line is not a JSON object. Each line must be an object with 'custom_id', 'method', 'url' and 'body'.",
          param: null,
          line: 8,
        },
      ],
    });
  });

  test("§3.4: a missing input file fails the batch, not the request", async () => {
    const { fileId, created, ended } = await batches().inputless;

    expect(created["status"]).toBe("validating");
    expectOnlyEnd(ended, "failed");
    expect(ended).toMatchObject({ in_progress_at: null, request_counts: NO_COUNTS, usage: { total_tokens: 0 } });
    expect(ended["errors"]).toEqual({
      object: "list",
      data: [
        {
          code: "invalid_request",
          message: `Cannot find file ${fileId}, or organization ${name} does not have access to it.`,
          param: "file_id",
          line: null,
        },
      ],
    });
  });

  test("§3.3, §7.15, §7.25: cancel returns `cancelling`, even when repeated, and still returns 200 after the batch is cancelled", async () => {
    const { cancelling, again, ended, afterwards } = await batches().cancelled;

    expect(cancelling).toMatchObject({ status: "cancelling", cancelling_at: expect.any(Number), cancelled_at: null });
    expect(again["cancelling_at"]).toBe(cancelling["cancelling_at"]);
    expectOnlyEnd(ended, "cancelled");
    expect(ended).toMatchObject({ cancelling_at: cancelling["cancelling_at"], finalizing_at: null, errors: null });
    expect(ended["request_counts"]).toEqual({ total: 2, completed: 1, failed: 1 });
    expect(afterwards).toEqual(ended);
  });

  test("§3.3, §4.4: the error file has a line without a response for each request that a cancel left undone", async () => {
    const { errors } = await batches().cancelled;

    expect(linesOf(errors)).toEqual([
      {
        id: expect.stringMatching(/^batch_req_[0-9a-f]{32}$/),
        custom_id: "slow",
        response: null,
        error: { code: "batch_cancelled", message: expect.stringMatching(/./) },
      },
    ]);
  });

  test("§3.5, §4.4: an expired batch keeps its finished requests, and the error file has the others", async () => {
    const { ended, output, errors } = await batches().expired;

    expectOnlyEnd(ended, "expired");
    expect(ended["request_counts"]).toEqual({ total: 2, completed: 1, failed: 1 });
    expect(linesOf(output)).toMatchObject([{ custom_id: "quick", response: { status_code: 200 }, error: null }]);
    expect(linesOf(errors)).toEqual([
      {
        id: expect.stringMatching(/^batch_req_[0-9a-f]{32}$/),
        custom_id: "slow",
        response: null,
        error: {
          code: "batch_expired",
          message: "This request could not be executed before the completion window expired.",
        },
      },
    ]);
  });

  test.each(["completed", "failed", "expired"] as const)(
    "§3.3, §5.3, §7.15: cancelling a batch that is %s returns 409, and no client retries it",
    async (status) => {
      const batch = await {
        completed: async () => (await batches().mixed).ended,
        failed: () => batches().faulty,
        expired: async () => (await batches().expired).ended,
      }[status]();
      const id = String(batch["id"]);

      const answer = await client().batches.cancel(id);

      expectRefusal(answer, { status: 409, message: `Cannot cancel a batch with status '${status}'.` });
      expect(answer.replies[0]?.headers["x-should-retry"]).toBe("false");
      expect((await client().batches.retrieve(id)).json).toEqual(batch);
    },
  );
}
