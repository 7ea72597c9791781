/** The line that every request leaves in the log: whose id it has. */
import { Writable } from "node:stream";
import { afterEach, expect, test } from "@jest/globals";
import { createLogger } from "@nightshift/service";
import { useApi } from "./api-under-test.ts";

let lines: Record<string, unknown>[] = [];
const destination = new Writable({
  write: (chunk: Buffer, _encoding, done) => {
    lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
    done();
  },
});
const api = useApi(() => ({ logger: createLogger({ name: "api", level: "debug", destination }) }));

afterEach(() => {
  lines = [];
});

/** The one line of the one request, which is written after its reply. */
async function lineOf(headers: Record<string, string>): Promise<Record<string, unknown>> {
  const reply = await api.fetch("/v1/files", { headers });
  await reply.text();
  while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(lines).toHaveLength(1);
  return { ...lines[0], isOurs: lines[0]?.["requestId"] === reply.headers.get("x-request-id") };
}

test("it has the reply's x-request-id, never one that the client made up", async () => {
  const line = await lineOf({ "x-request-id": "req_mine" });

  expect(line).toMatchObject({ isOurs: true, method: "GET", url: "/v1/files", status: 200 });
  expect(JSON.stringify(line)).not.toContain("req_mine");
});

test("it has the client's own id beside it, where that can stand in a log", async () => {
  expect(await lineOf({ "x-client-request-id": "job-7/page:1" })).toMatchObject({ clientRequestId: "job-7/page:1" });
});

test.each([["with space"], ["x".repeat(513)]])("an odd one is left out: %#", async (id) => {
  expect((await lineOf({ "x-client-request-id": id }))["clientRequestId"]).toBeUndefined();
});
