/** How many texts a request of /v1/embeddings asks to embed: contract §4.2 limits them over a whole batch. */
import { scanArray } from "./json-scan.ts";
import type { RequestLine } from "./request-line.ts";

const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;

/**
 * One for a text and for a list of tokens (numbers), and as many as there are for a list of texts or of token lists. What
 * is none of these is the upstream's to refuse, and counts as one.
 */
export function countInputs({ bytes, input }: RequestLine): number {
  const items = input === undefined ? null : scanArray(bytes, input.start, input.end);
  if (items === null) return 1;
  const isList = items.length === 0 || items.first === QUOTE || items.first === OPEN_BRACKET;
  return isList ? items.length : 1;
}
