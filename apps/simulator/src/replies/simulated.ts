/** What all replies share, so that nobody can take one for a model's: the names, the opening words, the token estimate. */

/** Stands for the model, the owner and the fingerprint in every reply. */
export const SIMULATOR = "nightshift-simulator";

/** The time of every reply, in seconds: a reply is a function of its request alone. 1 January 2025, 00:00 UTC. */
export const CREATED_SECONDS = 1_735_689_600;

const PADDING = " This sentence only makes the simulated text longer.";
const EXCERPT_LENGTH = 80;

/** What a reply may be made of besides the request's body. */
export interface ReplyContext {
  /** 24 hexadecimal digits, a function of the request's key. */
  readonly id: string;
  /** Least length of a text, in bytes. */
  readonly replyBytes: number;
  /** Length of an embedding where the request does not say. */
  readonly dimensions: number;
  readonly seed: number;
}

/** The text that answers `prompt`; `choice` counts from 0. */
export function simulateText(prompt: string, replyBytes: number, choice = 0): string {
  const nth = choice === 0 ? "" : ` (choice ${String(choice + 1)})`;
  const text = `Simulated by Nightshift, not a model: the prompt${nth} was "${excerpt(prompt)}"`;
  const missing = replyBytes - Buffer.byteLength(text);
  if (missing <= 0) return text;
  return text + PADDING.repeat(Math.ceil(missing / PADDING.length)).slice(0, missing);
}

/** About four characters are a token. An estimate, not a tokenizer's count. */
export function estimateTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

/** The text of a message's content, an `input` or a `prompt`, in whichever of OpenAI's forms it is, nested as deep as it likes. */
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
  // A cut between the halves of a surrogate pair would leave one that UTF-8 cannot carry.
  return line.length <= EXCERPT_LENGTH ? line : `${line.slice(0, EXCERPT_LENGTH).replace(/[\ud800-\udbff]$/, "")}…`;
}
