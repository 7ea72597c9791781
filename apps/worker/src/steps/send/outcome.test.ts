/** Tests the failure table of docs/architecture.md, row by row: which reply leads to which outcome. */
import { describe, expect, test } from "@jest/globals";
import type { UpstreamReply } from "@nightshift/upstream";
import { oneTask } from "../../../test/line-fixture.ts";
import { backoffMs, type Outcome, type OutcomeContext, outcomeOf } from "./outcome.ts";

const context: OutcomeContext = {
  maxAttempts: 3,
  now: new Date("2026-08-19T12:00:00Z"),
  random: (count) => new Uint8Array(count),
  jitter: () => 0.5,
};

const answer = (
  status: number,
  body = '{"ok":true}',
  change: { retryAfterMs?: number; requestId?: string } = {},
): UpstreamReply => {
  return { kind: "answer", status, body: Buffer.from(body), requestId: "up-1", retryAfterMs: null, ...change };
};
const without = (kind: "refused" | "broken" | "timeout"): UpstreamReply => ({ kind, message: "as it happened" });

/** Returns the outcome of an attempt. The first attempt is 1. */
function outcome(reply: UpstreamReply, attempt = 1, change: Partial<OutcomeContext> = {}): Outcome {
  return outcomeOf(oneTask({ attempt: attempt - 1 }), reply, { ...context, ...change });
}

function lineOf(result: Outcome): Record<string, unknown> {
  if (result.kind !== "done") throw new Error(`no line: ${result.kind}`);
  return JSON.parse(Buffer.concat(result.line.pieces).toString()) as Record<string, unknown>;
}

describe("a success", () => {
  test("becomes an output line with status, request id, the body as received, and its usage", () => {
    const body = '{ "usage":{"prompt_tokens":3,"completion_tokens":4},"n":1.0 }';

    const result = outcome(answer(201, body));

    expect(result).toMatchObject({
      kind: "done",
      resultKind: "output",
      usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 },
      exhaustedBy: null,
    });
    if (result.kind === "done") expect(Buffer.concat(result.line.pieces).toString()).toContain(`"body": ${body}}`);
    expect(lineOf(result)).toMatchObject({
      custom_id: "id-0",
      response: { status_code: 201, request_id: "up-1" },
      error: null,
    });
  });

  test("gets the line's request id if the upstream sends none", () => {
    const reply: UpstreamReply = {
      kind: "answer",
      status: 200,
      body: Buffer.from("{}"),
      requestId: null,
      retryAfterMs: null,
    };

    const line = lineOf(outcome(reply));

    expect(line["id"]).toBe(`batch_req_${(line["response"] as { request_id: string }).request_id}`);
  });
});

describe("the upstream's own error", () => {
  test.each([302, 400, 401, 404, 413, 422])("%d becomes an error line at once, as received", (status) => {
    const result = outcome(answer(status, '{"error":{"message":"no"}}'));

    expect(result).toMatchObject({ kind: "done", resultKind: "error", usage: null, exhaustedBy: null });
    expect(lineOf(result)).toMatchObject({
      response: { status_code: status, body: { error: { message: "no" } } },
      error: null,
    });
  });

  test("is quoted if it is not JSON, so that the line is valid JSON", () => {
    expect(lineOf(outcome(answer(404, "<h1>Not found</h1>")))).toMatchObject({
      response: { status_code: 404, body: { error: { message: "<h1>Not found</h1>", type: "upstream_error" } } },
    });
  });
});

describe("a temporary failure", () => {
  const REPLIES: [string, UpstreamReply][] = [
    ...[408, 409, 500, 502, 504, 529].map((status): [string, UpstreamReply] => [String(status), answer(status)]),
    ["a broken connection", without("broken")],
    ["a timeout", without("timeout")],
    ["a success that is not JSON", answer(200, "<html>")],
    ["a success without a body", answer(204, "")],
  ];

  test.each(REPLIES)("uses up an attempt and leads to another one later: %s", (_name, reply) => {
    expect(outcome(reply, 1)).toEqual({ kind: "next_attempt", delayMs: backoffMs(1, context.jitter) });
    expect(outcome(reply, 2)).toEqual({ kind: "next_attempt", delayMs: backoffMs(2, context.jitter) });
  });

  test.each(REPLIES)("becomes an error line with the reason after the last attempt: %s", (_name, reply) => {
    const result = outcome(reply, 3);

    expect(result).toMatchObject({
      kind: "done",
      resultKind: "error",
      usage: null,
      exhaustedBy: expect.stringContaining("after 3 attempts"),
    });
  });

  test("records the upstream's last answer after the last attempt", () => {
    expect(lineOf(outcome(answer(500, '{"error":"x"}'), 3))).toMatchObject({
      response: { status_code: 500, body: { error: "x" } },
      error: null,
    });
  });

  test.each([
    [without("timeout"), "request_timeout"],
    [without("broken"), "upstream_error"],
    [answer(200, "<html>"), "upstream_error"],
  ])("records no response if the last reply has none that can be recorded: %o", (reply, code) => {
    expect(lineOf(outcome(reply, 3))).toMatchObject({ response: null, error: { code } });
  });

  test("waits as long as the upstream asks if that is longer than the backoff", () => {
    expect(outcome(answer(500, "{}", { retryAfterMs: 90_000 }))).toEqual({ kind: "next_attempt", delayMs: 90_000 });
    expect(outcome(answer(500, "{}", { retryAfterMs: 1 }))).toEqual({
      kind: "next_attempt",
      delayMs: backoffMs(1, context.jitter),
    });
  });

  test("gets no further attempt after the deadline", () => {
    const { deadline } = oneTask().slice;
    const at = (beforeMs: number): Outcome =>
      outcome(answer(500, "{}", { retryAfterMs: 90_000 }), 1, { now: new Date(deadline.getTime() - beforeMs) });

    expect(at(90_001)).toMatchObject({ kind: "next_attempt" });
    expect(at(90_000)).toMatchObject({
      kind: "done",
      resultKind: "error",
      exhaustedBy: expect.stringContaining("after 1 attempt."),
    });
  });
});

describe("an upstream that throttles", () => {
  test.each([answer(429), answer(503), without("refused")])("uses up no attempt, not even the last: %o", (reply) => {
    expect(outcome(reply, 1)).toEqual({ kind: "throttled", pauseMs: 1_500 });
    expect(outcome(reply, 3)).toEqual(outcome(reply, 1));
  });

  test("is paused for as long as it asks, but at most for an hour", () => {
    expect(outcome(answer(429, "{}", { retryAfterMs: 20 }))).toEqual({ kind: "throttled", pauseMs: 20 });
    expect(outcome(answer(429, "{}", { retryAfterMs: 86_400_000 }))).toEqual({ kind: "throttled", pauseMs: 3_600_000 });
  });
});

describe("backoff", () => {
  test("doubles with each attempt up to a minute", () => {
    const full = [1, 2, 3, 4, 20].map((attempt) => backoffMs(attempt, () => 1));

    expect(full).toEqual([500, 1_000, 2_000, 4_000, 60_000]);
  });

  test("is between half and all of the full delay", () => {
    expect([0, 0.5, 1].map((jitter) => backoffMs(3, () => jitter))).toEqual([1_000, 1_500, 2_000]);
  });
});
