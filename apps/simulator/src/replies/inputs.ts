/** The four forms of `input` and `prompt`: a text, a list of texts, a list of tokens, or lists of tokens. */
import { type Static, Type } from "@sinclair/typebox";
import { estimateTokens } from "./simulated-text.ts";

const Token = Type.Integer({ minimum: 0 });

/** The schema of an `input` or `prompt`. */
export const TextInput = Type.Union([
  Type.String(),
  Type.Array(Type.String(), { minItems: 1, maxItems: 2048 }),
  Type.Array(Token, { minItems: 1 }),
  Type.Array(Type.Array(Token, { minItems: 1 }), { minItems: 1, maxItems: 2048 }),
]);

/** One input: a text or a list of tokens. */
export type SingleInput = string | number[];

/** Lists the single inputs. Each one gets its own answer. */
export function listInputs(input: Static<typeof TextInput>): SingleInput[] {
  if (typeof input === "string") return [input];
  return isTokens(input) ? [input] : input;
}

function isTokens(input: readonly unknown[]): input is number[] {
  return typeof input[0] === "number";
}

/** Returns the text of an input for display or for a hash. */
export function textOf(input: SingleInput): string {
  return typeof input === "string" ? input : `tokens ${input.join(" ")}`;
}

/** Returns the number of tokens: exact for a list of tokens, estimated for a text. */
export function tokensOf(input: SingleInput): number {
  return typeof input === "string" ? estimateTokens(input) : input.length;
}
