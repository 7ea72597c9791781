/** The four forms of `input` and `prompt`: a text, texts, tokens, lists of tokens. */
import { type Static, Type } from "@sinclair/typebox";
import { estimateTokens } from "./simulated.ts";

const Token = Type.Integer({ minimum: 0 });

/** Schema of an `input` or `prompt`. */
export const TextInput = Type.Union([
  Type.String(),
  Type.Array(Type.String(), { minItems: 1, maxItems: 2048 }),
  Type.Array(Token, { minItems: 1 }),
  Type.Array(Type.Array(Token, { minItems: 1 }), { minItems: 1, maxItems: 2048 }),
]);

/** One input: a text, or its tokens. */
export type SingleInput = string | number[];

/** The inputs, each of which gets an answer of its own. */
export function listInputs(input: Static<typeof TextInput>): SingleInput[] {
  if (typeof input === "string") return [input];
  return isTokens(input) ? [input] : input;
}

function isTokens(input: readonly unknown[]): input is number[] {
  return typeof input[0] === "number";
}

/** An input as a text to show or to hash. */
export function textOf(input: SingleInput): string {
  return typeof input === "string" ? input : `tokens ${input.join(" ")}`;
}

/** Exact for tokens, estimated for texts. */
export function tokensOf(input: SingleInput): number {
  return typeof input === "string" ? estimateTokens(input) : input.length;
}
