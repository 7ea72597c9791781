/**
 * Decides the answer to a request and its delay: first scripted faults, then limits, then random errors, then the
 * reply.
 */
import { hash } from "node:crypto";
import { type ApiError, badRequest, formatError, rateLimited, simulatedFailure, unknownUrl } from "./api-error.ts";
import { createRandom, drawNormal, type Random } from "./random.ts";
import { findEndpoint } from "./replies/find-endpoint.ts";
import type { Fault, SimulatorSettings } from "./settings.ts";
import type { Simulation } from "./simulation.ts";

/** The longest delay of a timer in Node. */
const MAX_LATENCY_MS = 2 ** 31 - 1;

/** The parts of a request that its answer depends on. */
export interface SimulatedRequest {
  readonly path: string;
  readonly body: Buffer;
  /** Identifies repeated requests: the idempotency key, or a hash of the body. */
  readonly key: string;
  /** The number of times that the key was seen, including this request. */
  readonly nth: number;
}

export interface Answer {
  readonly delayMs: number;
  /** Null means that the connection is cut. */
  readonly status: number | null;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Returns the answer to a request. Uses up a scripted fault, or one request of the rate limit. */
export function answer(simulation: Simulation, request: SimulatedRequest, nowMs: number): Answer {
  const settings = simulation.current();
  const fault = simulation.script().take(request.body);
  if (fault !== null && !isOnlyDelayed(fault)) return answerFault(fault);
  const hangMs = fault?.hangMs ?? 0;

  const limited = answerLimit(simulation, settings, nowMs);
  if (limited !== null) return { ...limited, delayMs: hangMs };

  const random = createRandom(`${String(settings.seed)} ${request.key} ${String(request.nth)}`);
  const delayMs = hangMs + drawLatency(settings, random);
  if (random() < settings.errorRate) return answerError(simulatedFailure(), delayMs);
  return answerReply(settings, request, delayMs);
}

function isOnlyDelayed({ status, body, cut }: Fault): boolean {
  return status === undefined && body === undefined && cut === undefined;
}

function answerFault({ status = 500, body, headers = {}, hangMs: delayMs = 0, cut }: Fault): Answer {
  if (cut === true) return { delayMs, status: null, body: "", headers };
  return { delayMs, status, body: body ?? formatError(simulatedFailure()), headers };
}

function answerLimit(simulation: Simulation, { concurrency }: SimulatorSettings, nowMs: number): Answer | null {
  if (concurrency !== null && simulation.record.inFlight() > concurrency) {
    return answerTooMany(`${String(concurrency)} requests at a time`, 1000);
  }
  const limit = simulation.rateLimit();
  const waitMs = limit?.admit(nowMs) ?? null;
  return waitMs === null ? null : answerTooMany("too many requests within a minute", waitMs);
}

function answerTooMany(what: string, waitMs: number): Answer {
  const headers = { "retry-after": String(Math.ceil(waitMs / 1000)), "retry-after-ms": String(Math.ceil(waitMs)) };
  return answerError(rateLimited(what), 0, headers);
}

function drawLatency({ latencyMs, latencySigma }: SimulatorSettings, random: Random): number {
  if (latencyMs === 0 || latencySigma === 0) return latencyMs;
  return Math.min(latencyMs * Math.exp(latencySigma * drawNormal(random)), MAX_LATENCY_MS);
}

function answerReply(settings: SimulatorSettings, { path, body, key }: SimulatedRequest, delayMs: number): Answer {
  const endpoint = findEndpoint(path);
  if (endpoint === null) return answerError(unknownUrl("POST", path), delayMs);
  const parsed = parseJson(body);
  if (parsed === undefined) {
    const message =
      "We could not parse the JSON body of your request. The simulator accepts the requests of OpenAI's API.";
    return answerError(badRequest(message), delayMs);
  }

  const { replyBytes, dimensions, seed, rawReply } = settings;
  const id = hash("sha256", `${String(seed)} ${key}`).slice(0, 24);
  const outcome = endpoint(parsed, { id, replyBytes, dimensions, seed });
  if ("error" in outcome) return answerError(outcome.error, delayMs);
  const text = typeof outcome.reply === "string" ? outcome.reply : JSON.stringify(outcome.reply);
  return { delayMs, status: 200, body: rawReply ?? text, headers: { "x-request-id": `req_${id}` } };
}

function answerError(error: ApiError, delayMs: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return { delayMs, status: error.status, body: formatError(error), headers };
}

/** Returns undefined, which JSON cannot express, for a body that is not JSON. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    // The answer is the same for every syntax error.
    return undefined;
  }
}
