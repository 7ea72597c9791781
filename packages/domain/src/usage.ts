/** Reads what an upstream says that a request has cost, in either of OpenAI's two shapes. */
import { lastMember, scanObject } from "./json-scan.ts";

export interface LineUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
}

/** The `usage` of a reply's body, null where it has none that can be read. Only that member is parsed. */
export function readUsage(body: Buffer): LineUsage | null {
  const members = scanObject(body);
  const member = members && lastMember(members, "usage");
  if (!member) return null;
  const usage = asRecord(JSON.parse(body.toString("utf8", member.start, member.end)));
  if (usage === null) return null;
  const inputTokens = count(usage["input_tokens"]) ?? count(usage["prompt_tokens"]) ?? 0;
  const outputTokens = count(usage["output_tokens"]) ?? count(usage["completion_tokens"]) ?? 0;
  const inputDetails = asRecord(usage["input_tokens_details"] ?? usage["prompt_tokens_details"]);
  const outputDetails = asRecord(usage["output_tokens_details"] ?? usage["completion_tokens_details"]);
  return {
    inputTokens,
    outputTokens,
    totalTokens: count(usage["total_tokens"]) ?? inputTokens + outputTokens,
    cachedTokens: count(inputDetails?.["cached_tokens"]) ?? 0,
    reasoningTokens: count(outputDetails?.["reasoning_tokens"]) ?? 0,
  };
}

function asRecord(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

/** Sums must stay exact: what is no sane count is none. */
function count(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value < 1e12 ? value : null;
}
