/** POST /chat/completions. */
import { Type } from "@sinclair/typebox";
import { defineEndpoint } from "./simulated-endpoint.ts";
import { CREATED_SECONDS, estimateTokens, readText, SIMULATOR, simulateText } from "./simulated-text.ts";

export const chatCompletions = defineEndpoint({
  body: Type.Object({
    model: Type.String({ minLength: 1 }),
    messages: Type.Array(Type.Object({ role: Type.String(), content: Type.Optional(Type.Unknown()) }), { minItems: 1 }),
    n: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 8 }), Type.Null()])),
    stream: Type.Optional(Type.Union([Type.Literal(false), Type.Null()])),
  }),
  reply({ messages, n }, { id, replyBytes }) {
    const prompt = readText(messages.findLast(({ role }) => role === "user")?.content ?? messages.at(-1)?.content);
    const texts = Array.from({ length: n ?? 1 }, (_, choice) => simulateText(prompt, replyBytes, choice));
    const promptTokens = sum(messages.map(({ content }) => estimateTokens(readText(content)) + 4));
    const completionTokens = sum(texts.map(estimateTokens));
    return {
      id: `chatcmpl-${id}`,
      object: "chat.completion",
      created: CREATED_SECONDS,
      model: SIMULATOR,
      choices: texts.map((content, index) => ({
        index,
        message: { role: "assistant", content, refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: "stop",
      })),
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
        total_tokens: promptTokens + completionTokens,
        prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 0,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
      service_tier: "default",
      system_fingerprint: SIMULATOR,
    };
  },
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
