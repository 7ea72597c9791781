/**
 * Decides what a reply means for its line: a result, another attempt, or a return to the ledger without using up an
 * attempt.
 */
import {
  answeredLine,
  newBatchRequestId,
  quotedBody,
  readUsage,
  scanReplyBody,
  unansweredLine,
  type RandomBytes,
  type ReplyBody,
  type ResultKind,
} from "@nightshift/domain";
import { classify, type UpstreamReply } from "@nightshift/upstream";
import type { DoneOutcome } from "../record/lines.ts";
import type { LineTask } from "./line-task.ts";

export type Outcome =
  | DoneOutcome
  | { readonly kind: "next_attempt"; readonly delayMs: number }
  /** The line uses up no attempt. The upstream is paused for all workers. */
  | { readonly kind: "throttled"; readonly pauseMs: number };

export interface OutcomeContext {
  readonly maxAttempts: number;
  readonly now: Date;
  readonly random: RandomBytes;
  /** Returns a number from 0 up to 1. */
  readonly jitter: () => number;
}

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 60_000;
/**
 * The pause for a throttled upstream that sends no `Retry-After`. It is long enough to relieve the upstream, and short
 * enough to try again soon.
 */
const DEFAULT_PAUSE_MS = 1_000;
/** A `Retry-After` of a day would stop every batch, so workers try again after an hour. */
const MAX_PAUSE_MS = 3_600_000;

/**
 * Returns an exponential backoff with jitter. The full backoff is 500 ms, doubled with each attempt, and at most a
 * minute. The jitter picks a value between half of it and all of it. `attempt` counts from 1.
 */
export function backoffMs(attempt: number, jitter: () => number): number {
  const full = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1));
  return Math.round(full * (0.5 + jitter() / 2));
}

export function outcomeOf(task: LineTask, reply: UpstreamReply, context: OutcomeContext): Outcome {
  const body = reply.kind === "answer" ? scanReplyBody(reply.body) : null;
  switch (classifyForLine(reply, body)) {
    case "success":
      return done(task, reply, body, "output", null, context);
    case "answer":
      return done(task, reply, body, "error", null, context);
    case "throttled": {
      const asked = reply.kind === "answer" ? reply.retryAfterMs : null;
      return { kind: "throttled", pauseMs: Math.min(MAX_PAUSE_MS, asked ?? DEFAULT_PAUSE_MS * (1 + context.jitter())) };
    }
    case "next_attempt": {
      const attempt = task.slice.attempt + 1;
      const asked = reply.kind === "answer" ? (reply.retryAfterMs ?? 0) : 0;
      const delayMs = Math.max(asked, backoffMs(attempt, context.jitter));
      const isInTime = context.now.getTime() + delayMs < task.slice.deadline.getTime();
      if (attempt < context.maxAttempts && isInTime) return { kind: "next_attempt", delayMs };
      return done(task, reply, body, "error", reasonOf(task, reply), context);
    }
  }
}

/** The output file cannot hold a 2xx reply whose body is not JSON, so that reply counts as a broken connection. */
function classifyForLine(reply: UpstreamReply, body: ReplyBody | null): ReturnType<typeof classify> {
  const verdict = classify(reply);
  return verdict === "success" && body?.isUsable === false ? "next_attempt" : verdict;
}

function done(
  task: LineTask,
  reply: UpstreamReply,
  body: ReplyBody | null,
  resultKind: ResultKind,
  exhaustedBy: string | null,
  context: OutcomeContext,
): Outcome {
  const id = newBatchRequestId(context.random, Math.floor(context.now.getTime() / 1_000));
  const { customId } = task.request;
  if (reply.kind !== "answer" || body === null) {
    const code = reply.kind === "timeout" ? "request_timeout" : "upstream_error";
    const line = unansweredLine(id, customId, { code, message: reasonOf(task, reply) });
    return { kind: "done", resultKind, line, usage: null, exhaustedBy };
  }
  if (!body.isUsable && reply.status < 300) {
    const line = unansweredLine(id, customId, { code: "upstream_error", message: reasonOf(task, reply) });
    return { kind: "done", resultKind, line, usage: null, exhaustedBy };
  }
  const requestId = reply.requestId ?? id.slice("batch_req_".length);
  const quoted = body.isUsable ? reply.body : quotedBody(reply.body);
  const line = answeredLine(id, customId, { status: reply.status, requestId, body: quoted });
  return { kind: "done", resultKind, line, usage: resultKind === "output" ? readUsage(body) : null, exhaustedBy };
}

function reasonOf(task: LineTask, reply: UpstreamReply): string {
  const attempts = task.slice.attempt + 1;
  const tries = attempts === 1 ? "after 1 attempt" : `after ${String(attempts)} attempts`;
  switch (reply.kind) {
    case "timeout":
      return `The upstream did not answer in time, ${tries}: ${reply.message}`;
    case "refused":
    case "broken":
      return `The connection to the upstream failed, ${tries}: ${reply.message}`;
    case "answer":
      return reply.status < 300
        ? `The upstream answered with status ${String(reply.status)} and a body that is not valid JSON, ${tries}.`
        : `The upstream answered with status ${String(reply.status)}, ${tries}.`;
  }
}
