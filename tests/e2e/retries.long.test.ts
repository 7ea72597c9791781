/** What happens to a line when its upstream is slow, broken, rate limited, wrong or unavailable. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, type SeenLine, type Simulator, startSimulatorProcess, until } from "@nightshift/testing";
import { type Batch, chatLine, createBatchClient, type ResultLine } from "./batch-client.ts";
import { createDashboardClient } from "./dashboard-client.ts";
import { isPaused } from "./ledger.ts";
import { useStack } from "./use-stack.ts";

/** The final state of a batch, its result lines, and the requests that the upstream received. */
interface Outcome {
  readonly batch: Batch;
  readonly output: readonly ResultLine[];
  readonly errors: readonly ResultLine[];
  /**
   * How often each line was sent and which statuses it got, in the order of the lines. Status 0 means a cut connection.
   */
  readonly seen: readonly Pick<SeenLine, "count" | "statuses">[];
}

const NEVER_MS = 60_000;
const ERROR_PAGE = "<html><body>502 Bad Gateway</body></html>";

function upstreamError(message: string): unknown {
  return { code: "upstream_error", message: expect.stringContaining(message) };
}

describe.each(availableProfiles())("%s", (profile) => {
  let awayPort = "";
  // Each model has the name of its upstream, which describes the upstream's settings. All upstreams except `away` point
  // to the same simulator.
  const { stack, simulator } = useStack({
    profile,
    routes: async (baseUrl) => {
      const away = await startSimulatorProcess();
      awayPort = new URL(away.url).port;
      await away.stop();
      return `
        upstreams:
          five-attempts: { base_url: "${baseUrl}" }
          two-attempts: { base_url: "${baseUrl}", max_attempts: 2 }
          one-attempt: { base_url: "${baseUrl}", max_attempts: 1 }
          one-second: { base_url: "${baseUrl}", max_attempts: 2, timeout_seconds: 1 }
          away: { base_url: "http://127.0.0.1:${awayPort}/v1", max_attempts: 1 }
        models:
          five-attempts: { upstream: five-attempts }
          two-attempts: { upstream: two-attempts }
          one-attempt: { upstream: one-attempt }
          one-second: { upstream: one-second }
          away: { upstream: away }
      `;
    },
  });

  const start = async (model: string, questions: readonly string[] = ["Why?"]): Promise<string> => {
    const client = createBatchClient(stack());
    const lines = questions.map((question, index) => chatLine(`line-${String(index)}`, question, model));
    return (await client.create(await client.upload(lines.join("\n")))).id;
  };
  const end = async (batchId: string, upstream: Simulator = simulator()): Promise<Outcome> => {
    const client = createBatchClient(stack());
    const batch = await client.finished(batchId);
    const output = await client.lines(batch.output_file_id);
    const errors = await client.lines(batch.error_file_id);
    const seen = (await upstream.seen()).filter(({ key }) => key.startsWith(batchId));
    const inOrder = seen.sort((a, b) => a.key.localeCompare(b.key));
    return { batch, output, errors, seen: inOrder.map(({ count, statuses }) => ({ count, statuses })) };
  };
  const runWith = async (faults: readonly object[], model: string, questions?: readonly string[]): Promise<Outcome> => {
    await simulator().configure({ faults });
    return end(await start(model, questions));
  };

  test("lines succeed when their upstream recovers before the last attempt", async () => {
    const faults = [
      { match: "500 twice", status: 500, times: 2 },
      { match: "408", status: 408 },
      { match: "409", status: 409 },
      { match: "cut", cut: true },
      { match: "page", status: 200, body: ERROR_PAGE },
    ];

    const { batch, output, seen } = await runWith(
      faults,
      "five-attempts",
      faults.map(({ match }) => match),
    );

    expect(batch).toMatchObject({ status: "completed", error_file_id: null });
    expect(batch.request_counts).toEqual({ total: 5, completed: 5, failed: 0 });
    expect(output).toHaveLength(5);
    expect(seen.map(({ statuses }) => statuses)).toEqual([
      [500, 500, 200],
      [408, 200],
      [409, 200],
      [0, 200],
      [200, 200],
    ]);
  });

  test("a line without attempts left keeps the upstream's last reply and is listed in the queue failed-lines", async () => {
    const faults = [
      { match: "JSON", status: 500, body: `{"error":{"message":"Out of order"}}` },
      { match: "502 page", status: 502, body: ERROR_PAGE, headers: { "content-type": "text/html" } },
      { match: "cut", cut: true },
      { match: "200 page", status: 200, body: ERROR_PAGE },
    ].map((fault) => ({ ...fault, times: 2 }));

    const { batch, errors, seen } = await runWith(
      faults,
      "two-attempts",
      faults.map(({ match }) => match),
    );
    const parked = await until(
      async () => {
        const jobs = await createDashboardClient(stack()).failedLines(batch.id);
        return jobs.length === faults.length && jobs;
      },
      { message: "the lines' jobs are in the failed set" },
    );

    expect(batch).toMatchObject({ status: "completed", output_file_id: null });
    expect(batch.request_counts).toEqual({ total: 4, completed: 0, failed: 4 });
    expect(errors.map(({ response, error }) => [response?.status_code, response?.body, error])).toEqual([
      [500, { error: { message: "Out of order" } }, null],
      // A body that is not JSON is quoted as a string, because the result line must be valid JSON.
      [502, { error: { message: ERROR_PAGE, type: "upstream_error", param: null, code: null } }, null],
      [undefined, undefined, upstreamError("The connection to the upstream failed, after 2 attempts: ")],
      [undefined, undefined, upstreamError("status 200 and a body that is not valid JSON, after 2 attempts")],
    ]);
    expect(seen.map(({ statuses }) => statuses)).toEqual([
      [500, 500],
      [502, 502],
      [0, 0],
      [200, 200],
    ]);
    const reasons = [...parked].sort((a, b) => a.data.line - b.data.line).map(({ failedReason }) => failedReason);
    expect(reasons).toEqual([
      expect.stringContaining("500"),
      expect.stringContaining("502"),
      expect.stringContaining("connection"),
      expect.stringContaining("200"),
    ]);
  });

  test("a line that the upstream refuses is not sent again", async () => {
    const statuses = [400, 401, 404, 422];
    const faults = statuses.map((status) => ({
      match: `Status ${String(status)}`,
      status,
      body: `{"error":{"message":"No, ${String(status)}","type":"invalid_request_error","param":null,"code":null}}`,
      headers: { "x-request-id": `req_${String(status)}` },
    }));

    const { batch, output, errors, seen } = await runWith(faults, "five-attempts", [
      ...statuses.map((status) => `Status ${String(status)}`),
      "What is good?",
    ]);

    expect(batch.request_counts).toEqual({ total: 5, completed: 1, failed: 4 });
    expect(errors.map(({ response, error }) => ({ response, error }))).toEqual(
      statuses.map((status) => ({
        response: {
          status_code: status,
          request_id: `req_${String(status)}`,
          body: {
            error: { message: `No, ${String(status)}`, type: "invalid_request_error", param: null, code: null },
          },
        },
        error: null,
      })),
    );
    expect(seen.map(({ statuses: got }) => got)).toEqual([...statuses, 200].map((status) => [status]));
    // The usage of the batch includes successful lines only.
    const { usage } = output[0]?.response?.body as { usage: Record<string, number> };
    expect(batch.usage).toMatchObject({
      input_tokens: usage["prompt_tokens"],
      output_tokens: usage["completion_tokens"],
      total_tokens: usage["total_tokens"],
    });
    expect(await createDashboardClient(stack()).failedLines(batch.id)).toEqual([]);
  });

  test("a request times out when its upstream never answers", async () => {
    const { errors, seen } = await runWith([{ hangMs: NEVER_MS, times: 2 }], "one-second");

    expect(errors).toMatchObject([
      { response: null, error: { code: "request_timeout", message: expect.stringContaining("after 2 attempts") } },
    ]);
    expect(seen).toEqual([{ count: 2, statuses: [0, 0] }]);
  });

  test.each([
    [429, { "retry-after": "1" }],
    [503, { "retry-after-ms": "1000" }],
  ])(
    "a %d with a retry time pauses the upstream for that time for all batches and does not use up an attempt",
    async (status, headers) => {
      await simulator().forget();
      await simulator().configure({ faults: [{ match: "First", status, headers }] });

      const first = await start("one-attempt", ["First"]);
      const refusedAt = await until(
        async () => {
          const { byStatus, firstAt } = await simulator().stats();
          return byStatus[status] === 1 && firstAt;
        },
        { message: `the first line received ${String(status)}` },
      );
      await simulator().forget();
      const second = await start("one-attempt", ["Second"]);
      const outcomes = [await end(first), await end(second)];
      const { firstAt } = await simulator().stats();

      expect(outcomes.map(({ batch }) => batch.request_counts)).toEqual([
        { total: 1, completed: 1, failed: 0 },
        { total: 1, completed: 1, failed: 0 },
      ]);
      // Both times come from the upstream's clock. It does not matter which of the two lines was sent first.
      expect(firstAt! - refusedAt).toBeGreaterThanOrEqual(1000);
    },
  );

  test("lines wait for an upstream that is unavailable", async () => {
    const id = await start("away");
    await until(() => isPaused(stack(), "away"), { message: "the connection was refused" });
    const away = await startSimulatorProcess({ PORT: awayPort });
    const { batch, seen } = await end(id, away).finally(away.stop);

    expect(batch.request_counts).toEqual({ total: 1, completed: 1, failed: 0 });
    expect(seen).toEqual([{ count: 1, statuses: [200] }]);
  });
});
