/** The log line of a request and the ids in it. */
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

/** Sends a request and returns its log line, which is written after the reply. */
async function lineOf(headers: Record<string, string>): Promise<Record<string, unknown>> {
  const reply = await api.fetch("/v1/files", { headers });
  await reply.text();
  while (lines.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(lines).toHaveLength(1);
  return { ...lines[0], isFromReply: lines[0]?.["requestId"] === reply.headers.get("x-request-id") };
}

test("logs the x-request-id of the reply, never the one that the client sent", async () => {
  const line = await lineOf({ "x-request-id": "req_mine" });

  expect(line).toMatchObject({ isFromReply: true, method: "GET", url: "/v1/files", status: 200 });
  expect(JSON.stringify(line)).not.toContain("req_mine");
});

test("also logs x-client-request-id if it is printable", async () => {
  expect(await lineOf({ "x-client-request-id": "job-7/page:1" })).toMatchObject({ clientRequestId: "job-7/page:1" });
});

test.each([["with space"], ["x".repeat(513)]])(
  "omits an x-client-request-id that is not printable or too long: %#",
  async (id) => {
    expect((await lineOf({ "x-client-request-id": id }))["clientRequestId"]).toBeUndefined();
  },
);
