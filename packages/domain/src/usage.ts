/** The token counters: read from an upstream's reply, summed by batch in Postgres, shown in the Batch object. */
import type { ReplyBody } from "./reply-body.ts";

/**
 * One row for each counter. A new counter needs a row here, and a migration that adds its column to `batch_progress`
 * and `retries`.
 * - `name` and `column`: in TypeScript and in SQL.
 * - `wire`: the place in the usage of the Batch object, in wire order.
 * - `reply`: the places in the usage of an upstream's reply, in the responses and the chat completions format.
 */
export const TOKEN_COUNTERS = [
  {
    name: "inputTokens",
    column: "input_tokens",
    wire: { details: null, key: "input_tokens" },
    reply: [["input_tokens"], ["prompt_tokens"]],
  },
  {
    name: "outputTokens",
    column: "output_tokens",
    wire: { details: null, key: "output_tokens" },
    reply: [["output_tokens"], ["completion_tokens"]],
  },
  {
    name: "totalTokens",
    column: "total_tokens",
    wire: { details: null, key: "total_tokens" },
    reply: [["total_tokens"]],
  },
  {
    name: "cachedTokens",
    column: "cached_tokens",
    wire: { details: "input_tokens_details", key: "cached_tokens" },
    reply: [
      ["input_tokens_details", "cached_tokens"],
      ["prompt_tokens_details", "cached_tokens"],
    ],
  },
  {
    name: "reasoningTokens",
    column: "reasoning_tokens",
    wire: { details: "output_tokens_details", key: "reasoning_tokens" },
    reply: [
      ["output_tokens_details", "reasoning_tokens"],
      ["completion_tokens_details", "reasoning_tokens"],
    ],
  },
] as const;

/** The tokens of a line or of a batch, by counter. */
export type TokenUsage = Readonly<Record<(typeof TOKEN_COUNTERS)[number]["name"], number>>;

/** Adds up the usage of several lines. Returns all zeros if there are no lines. */
export function sumUsage(usages: Iterable<TokenUsage>): TokenUsage {
  const sum = Object.fromEntries(TOKEN_COUNTERS.map(({ name }) => [name, 0])) as Record<keyof TokenUsage, number>;
  for (const usage of usages) for (const { name } of TOKEN_COUNTERS) sum[name] += usage[name];
  return sum;
}

export const NO_TOKENS: TokenUsage = sumUsage([]);

/** Returns the usage in a reply's body, or null if the body has no readable usage. Parses only that member. */
export function readUsage({ bytes, usage: member }: ReplyBody): TokenUsage | null {
  if (member === undefined) return null;
  const usage = asRecord(JSON.parse(bytes.toString("utf8", member.start, member.end)));
  if (usage === null) return null;
  const tokens = { ...NO_TOKENS };
  for (const { name, reply } of TOKEN_COUNTERS) {
    const whenMissing = name === "totalTokens" ? tokens.inputTokens + tokens.outputTokens : 0;
    tokens[name] = firstCount(usage, reply) ?? whenMissing;
  }
  return tokens;
}

function firstCount(usage: Record<string, unknown>, places: readonly (readonly string[])[]): number | undefined {
  for (const place of places) {
    const value = place.reduce<unknown>((container, key) => asRecord(container)?.[key], usage);
    if (isCount(value)) return value;
  }
  return undefined;
}

function asRecord(value: unknown): Record<string, unknown> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

/** Returns false for absurd counts, so that sums stay exact. */
function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value < 1e12;
}
