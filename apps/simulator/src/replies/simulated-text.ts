/**
 * The parts that all replies share. They mark every reply as simulated, so that it cannot be mistaken for a reply of a
 * model.
 */

/** The model, the owner and the fingerprint in every reply. */
export const SIMULATOR = "nightshift-simulator";

/** The time in every reply, 1 January 2025, 00:00 UTC. It is fixed, because a reply depends only on its request. */
export const CREATED_SECONDS = 1_735_689_600;

const PADDING = " This sentence only makes the simulated text longer.";
const EXCERPT_LENGTH = 80;

/** The values that a reply may depend on besides the request's body. */
export interface ReplyContext {
  /** 24 hexadecimal digits that depend on the seed and the request's key. */
  readonly id: string;
  /** The minimum length of a text in bytes. */
  readonly replyBytes: number;
  /** The length of an embedding if the request does not set it. */
  readonly dimensions: number;
  readonly seed: number;
}

/** Makes the text that answers `prompt`. `choice` counts from 0. */
export function simulateText(prompt: string, replyBytes: number, choice = 0): string {
  const nth = choice === 0 ? "" : ` (choice ${String(choice + 1)})`;
  const text = `Simulated by Nightshift, not a model: the prompt${nth} was "${excerpt(prompt)}"`;
  const missing = replyBytes - Buffer.byteLength(text);
  if (missing <= 0) return text;
  return text + PADDING.repeat(Math.ceil(missing / PADDING.length)).slice(0, missing);
}

/** Estimates the tokens of a text at four characters per token, without a tokenizer. */
export function estimateTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** Finds the text of a message's content, an `input` or a `prompt`, in any of OpenAI's forms and at any depth. */
export function readText(content: unknown): string {
  const texts: string[] = [];
  const left: unknown[] = [content];
  while (left.length > 0) {
    const part = left.pop();
    if (typeof part === "string") texts.push(part);
    else if (Array.isArray(part)) for (const inner of part.toReversed()) left.push(inner);
    else if (typeof part === "object" && part !== null) {
      const { text, content: inner } = part as { text?: unknown; content?: unknown };
      left.push(text ?? inner);
    }
  }
  return texts.filter(Boolean).join(" ");
}

function excerpt(text: string): string {
  const line = text
    .slice(0, EXCERPT_LENGTH * 4)
    .replace(/\s+/g, " ")
    .trim();
  // Removes half of a surrogate pair at the end, because UTF-8 cannot encode it.
  return line.length <= EXCERPT_LENGTH ? line : `${line.slice(0, EXCERPT_LENGTH).replace(/[\ud800-\udbff]$/, "")}…`;
}
