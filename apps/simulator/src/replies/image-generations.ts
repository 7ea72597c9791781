/**
 * POST /images/generations and /images/edits: images of one grey pixel, with the simulator's text as the revised
 * prompt.
 */
import { Type } from "@sinclair/typebox";
import { defineEndpoint } from "./simulated-endpoint.ts";
import { CREATED_SECONDS, estimateTokens, type ReplyContext, simulateText } from "./simulated-text.ts";

const GREY_PIXEL_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

const ImageFields = {
  model: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  prompt: Type.String(),
  n: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 8 }), Type.Null()])),
  response_format: Type.Optional(Type.Union([Type.Literal("url"), Type.Literal("b64_json"), Type.Null()])),
};

interface ImageRequest {
  readonly prompt: string;
  readonly n?: number | null;
  readonly response_format?: "url" | "b64_json" | null;
}

function imagesFor(
  { prompt, n, response_format: format }: ImageRequest,
  { replyBytes }: ReplyContext,
  imageTokens: number,
): object {
  const image = format === "url" ? { url: `data:image/png;base64,${GREY_PIXEL_PNG}` } : { b64_json: GREY_PIXEL_PNG };
  const textTokens = estimateTokens(prompt);
  const inputTokens = textTokens + imageTokens;
  return {
    created: CREATED_SECONDS,
    data: Array.from({ length: n ?? 1 }, (_, choice) => ({
      ...image,
      revised_prompt: simulateText(prompt, replyBytes, choice),
    })),
    usage: {
      input_tokens: inputTokens,
      input_tokens_details: { text_tokens: textTokens, image_tokens: imageTokens },
      output_tokens: n ?? 1,
      total_tokens: inputTokens + (n ?? 1),
    },
  };
}

export const imageGenerations = defineEndpoint({
  body: Type.Object(ImageFields),
  reply: (body, context) => imagesFor(body, context, 0),
});

/** Accepts JSON, as batches send it. `images` are objects with an `image_url` or a `file_id`, and are ignored. */
export const imageEdits = defineEndpoint({
  body: Type.Object({
    ...ImageFields,
    images: Type.Optional(Type.Array(Type.Object({}), { maxItems: 16 })),
  }),
  reply: (body, context) => imagesFor(body, context, body.images?.length ?? 0),
});
