/** POST /moderations: never flags an input. */
import { Type } from "@sinclair/typebox";
import { defineEndpoint } from "./simulated-endpoint.ts";
import { SIMULATOR } from "./simulated-text.ts";

const CATEGORIES = [
  "harassment",
  "harassment/threatening",
  "hate",
  "hate/threatening",
  "illicit",
  "illicit/violent",
  "self-harm",
  "self-harm/intent",
  "self-harm/instructions",
  "sexual",
  "sexual/minors",
  "violence",
  "violence/graphic",
];

export const moderations = defineEndpoint({
  body: Type.Object({
    model: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    input: Type.Union([
      Type.String(),
      Type.Array(Type.String(), { minItems: 1 }),
      Type.Array(Type.Object({ type: Type.String() }), { minItems: 1 }),
    ]),
  }),
  reply({ input }, { id }) {
    // A list of texts has one result for each text. The parts of a multi-modal input have one result together.
    const results = Array.isArray(input) && typeof input[0] === "string" ? input.length : 1;
    return {
      id: `modr-${id}`,
      model: SIMULATOR,
      results: Array.from({ length: results }, () => ({
        flagged: false,
        categories: byCategory(false),
        category_scores: byCategory(0),
        category_applied_input_types: byCategory(["text"]),
      })),
    };
  },
});

function byCategory(value: unknown): Record<string, unknown> {
  return Object.fromEntries(CATEGORIES.map((category) => [category, value]));
}
