/** Reads the token usage that an upstream reports, in either of OpenAI's two formats. */
import type { ReplyBody } from "./reply-body.ts";

export interface LineUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
}

/** Returns the `usage` of a reply's body, or null if it has none that can be read. Parses only that member. */
export function readUsage({ bytes, usage: member }: ReplyBody): LineUsage | null {
  if (member === undefined) return null;
  const usage = asRecord(JSON.parse(bytes.toString("utf8", member.start, member.end)));
  if (usage === null) return null;
  const [inputTokens = 0, outputTokens = 0] = [
    first(usage, "input_tokens", "prompt_tokens"),
    first(usage, "output_tokens", "completion_tokens"),
  ];
  return {
    inputTokens,
    outputTokens,
    totalTokens: first(usage, "total_tokens") ?? inputTokens + outputTokens,
    cachedTokens: detail(usage, "cached_tokens", "input_tokens_details", "prompt_tokens_details"),
    reasoningTokens: detail(usage, "reasoning_tokens", "output_tokens_details", "completion_tokens_details"),
  };
}

/** Returns the first of these members that is a count. */
function first(usage: Record<string, unknown>, ...keys: string[]): number | undefined {
  return keys.map((key) => count(usage[key])).find((tokens) => tokens !== undefined);
}

/** Returns the count from the first of these containers that has it, or 0. */
function detail(usage: Record<string, unknown>, key: string, ...containers: string[]): number {
  return containers.map((container) => count(asRecord(usage[container])?.[key])).find((n) => n !== undefined) ?? 0;
}

function asRecord(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

/** Ignores values that are not plausible counts, so that sums stay exact integers. */
function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value < 1e12 ? value : undefined;
}
