/** POST /completions, the legacy endpoint. */
import { Type } from "@sinclair/typebox";
import { defineEndpoint } from "./simulated-endpoint.ts";
import { listInputs, TextInput, textOf, tokensOf } from "./inputs.ts";
import { CREATED_SECONDS, estimateTokens, SIMULATOR, simulateText } from "./simulated-text.ts";

export const completions = defineEndpoint({
  body: Type.Object({
    model: Type.String({ minLength: 1 }),
    prompt: TextInput,
    n: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 8 }), Type.Null()])),
    stream: Type.Optional(Type.Union([Type.Literal(false), Type.Null()])),
  }),
  reply({ prompt, n }, { id, replyBytes }) {
    const prompts = listInputs(prompt);
    const texts = prompts.flatMap((input) =>
      Array.from({ length: n ?? 1 }, (_, choice) => simulateText(textOf(input), replyBytes, choice)),
    );
    const promptTokens = prompts.reduce((total, input) => total + tokensOf(input), 0);
    const completionTokens = texts.reduce((total, text) => total + estimateTokens(text), 0);
    return {
      id: `cmpl-${id}`,
      object: "text_completion",
      created: CREATED_SECONDS,
      model: SIMULATOR,
      choices: texts.map((text, index) => ({ text, index, logprobs: null, finish_reason: "stop" })),
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
        total_tokens: promptTokens + completionTokens,
      },
      system_fingerprint: SIMULATOR,
    };
  },
});
