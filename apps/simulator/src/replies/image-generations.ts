/** POST /images/generations: a single grey pixel, with the simulator's words beside it. */
import { Type } from "@sinclair/typebox";
import { defineEndpoint } from "./endpoint.ts";
import { CREATED_SECONDS, estimateTokens, simulateText } from "./simulated.ts";

const GREY_PIXEL_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

export const imageGenerations = defineEndpoint({
  body: Type.Object({
    model: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    prompt: Type.String(),
    n: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 8 }), Type.Null()])),
    response_format: Type.Optional(Type.Union([Type.Literal("url"), Type.Literal("b64_json"), Type.Null()])),
  }),
  reply({ prompt, n, response_format: format }, { replyBytes }) {
    const image = format === "url" ? { url: `data:image/png;base64,${GREY_PIXEL_PNG}` } : { b64_json: GREY_PIXEL_PNG };
    const inputTokens = estimateTokens(prompt);
    return {
      created: CREATED_SECONDS,
      data: Array.from({ length: n ?? 1 }, (_, choice) => ({
        ...image,
        revised_prompt: simulateText(prompt, replyBytes, choice),
      })),
      usage: {
        input_tokens: inputTokens,
        input_tokens_details: { text_tokens: inputTokens, image_tokens: 0 },
        output_tokens: n ?? 1,
        total_tokens: inputTokens + (n ?? 1),
      },
    };
  },
});
