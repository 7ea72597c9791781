/** Tests the dashboard of the queues: access control, and retries of failed lines. */
import { describe, expect, test } from "@jest/globals";
import { availableProfiles, until } from "@nightshift/testing";
import { chatLine, createBatchClient } from "./batch-client.ts";
import { basicAuthorization, createDashboardClient } from "./dashboard-client.ts";
import { useStack } from "./use-stack.ts";

/** The slow line keeps the batch running for this long, so that the failed line can be seen and retried. */
const SLOW_MS = 4_000;
const SECRET = "text that the dashboard must not show";

describe.each(availableProfiles())("%s", (profile) => {
  const { stack, simulator } = useStack({
    profile,
    env: { UPSTREAM_CONCURRENCY: "8", UPSTREAM_MAX_ATTEMPTS: "1" },
  });

  test.each(["", "/api/queues?page=1&jobsPerPage=10"])("returns 401 without the admin key at %j", async (path) => {
    const { request } = createDashboardClient(stack());
    const answers = await Promise.all(
      [undefined, basicAuthorization("wrong"), `Bearer ${stack().key}`, `Bearer ${stack().adminKey}`].map(
        (authorization) => request(path, { headers: authorization === undefined ? {} : { authorization } }),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(answers[0]?.headers.get("www-authenticate")).toMatch(/^Basic /);
    expect((await request(path)).status).toBe(200);
  });

  test("lists every queue", async () => {
    const names = await createDashboardClient(stack()).queueNames();

    expect([...names].sort()).toEqual([
      "batches",
      "failed-lines",
      "feeds",
      "maintenance",
      "slices-default",
      "webhooks",
    ]);
  });

  test("a line that is retried while its batch runs ends up in the output file", async () => {
    await simulator().configure({
      faults: [
        { match: "flaky", status: 500 },
        { match: "slow", hangMs: SLOW_MS },
      ],
    });
    const client = createBatchClient(stack());
    const dashboard = createDashboardClient(stack());
    const input = [chatLine("flaky", `flaky: ${SECRET}`), chatLine("slow", "slow")].join("\n");

    const { id } = await client.create(await client.upload(input));
    const job = await until(async () => (await dashboard.failedLines(id))[0], {
      message: "the line is listed as failed",
    });
    const before = await client.retrieve(id);
    const reply = await dashboard.retry(job);
    const batch = await client.finished(id);
    const seen = (await simulator().seen()).filter(({ key }) => key.startsWith(id));

    expect(JSON.stringify(job)).not.toContain(SECRET);
    expect(before).toMatchObject({ status: "in_progress", request_counts: { total: 2, completed: 0, failed: 1 } });
    expect(reply.status).toBe(204);
    expect(batch).toMatchObject({ status: "completed", error_file_id: null });
    expect(batch.request_counts).toEqual({ total: 2, completed: 2, failed: 0 });
    expect((await client.lines(batch.output_file_id)).map((line) => line.custom_id)).toEqual(["flaky", "slow"]);
    expect(Object.fromEntries(seen.map(({ key, statuses }) => [key, statuses]))).toEqual({
      [`${id}-0-0`]: [500],
      [`${id}-0-1`]: [200],
      [`${id}-1-0`]: [200],
    });
    expect(await dashboard.failedLines(id)).toEqual([]);
  });

  test("a line that is retried after its batch has finished moves to the output file", async () => {
    await simulator().configure({ faults: [{ match: "broken", status: 500 }] });
    const client = createBatchClient(stack());
    const dashboard = createDashboardClient(stack());
    const before = await client.run(chatLine("broken", "broken"));
    const job = await until(async () => (await dashboard.failedLines(before.id))[0], {
      message: "the line is listed as failed",
    });

    const reply = await dashboard.retry(job);
    const batch = await until(
      async () => {
        const now = await client.retrieve(before.id);
        return now.request_counts.failed === 0 && now;
      },
      { message: "the retried line is in the output file" },
    );

    expect(before).toMatchObject({ status: "completed", output_file_id: null });
    expect(reply.status).toBe(204);
    expect(batch).toMatchObject({ status: "completed", error_file_id: null });
    expect((await client.lines(batch.output_file_id)).map((line) => line.custom_id)).toEqual(["broken"]);
    expect(await dashboard.failedLines(before.id)).toEqual([]);
  });

  test("a retry returns 409 with the reason if the input file was deleted, and the batch keeps its failed line", async () => {
    await simulator().configure({ faults: [{ match: "broken", status: 500 }] });
    const client = createBatchClient(stack());
    const dashboard = createDashboardClient(stack());
    const input = await client.upload(chatLine("broken", "broken"));
    const batch = await client.finished((await client.create(input)).id);
    const job = await until(async () => (await dashboard.failedLines(batch.id))[0], {
      message: "the line is listed as failed",
    });
    await client.request(`/v1/files/${input}`, { method: "DELETE" });

    const reply = await dashboard.retry(job);

    expect(reply.status).toBe(409);
    expect(await reply.text()).toContain("the batch's input file was deleted or has expired");
    expect(await client.retrieve(batch.id)).toEqual(batch);
  });
});
