/** POST /responses. */
import { Type } from "@sinclair/typebox";
import { defineEndpoint } from "./simulated-endpoint.ts";
import { CREATED_SECONDS, estimateTokens, readText, SIMULATOR, simulateText } from "./simulated-text.ts";

export const responses = defineEndpoint({
  body: Type.Object({
    model: Type.String({ minLength: 1 }),
    input: Type.Union([Type.String(), Type.Array(Type.Object({}), { minItems: 1 })]),
    instructions: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    metadata: Type.Optional(Type.Union([Type.Object({}), Type.Null()])),
    stream: Type.Optional(Type.Union([Type.Literal(false), Type.Null()])),
  }),
  reply({ input, instructions, metadata }, { id, replyBytes }) {
    const text = simulateText(readText(typeof input === "string" ? input : input.at(-1)), replyBytes);
    const inputTokens = estimateTokens(`${instructions ?? ""}${readText(input)}`);
    const outputTokens = estimateTokens(text);
    return {
      id: `resp_${id}`,
      object: "response",
      created_at: CREATED_SECONDS,
      status: "completed",
      background: false,
      error: null,
      incomplete_details: null,
      instructions: instructions ?? null,
      max_output_tokens: null,
      model: SIMULATOR,
      output: [
        {
          id: `msg_${id}`,
          type: "message",
          status: "completed",
          role: "assistant",
          content: [{ type: "output_text", text, annotations: [], logprobs: [] }],
        },
      ],
      parallel_tool_calls: true,
      previous_response_id: null,
      reasoning: { effort: null, summary: null },
      service_tier: "default",
      store: false,
      temperature: 1,
      text: { format: { type: "text" } },
      tool_choice: "auto",
      tools: [],
      top_p: 1,
      truncation: "disabled",
      usage: {
        input_tokens: inputTokens,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: outputTokens,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: inputTokens + outputTokens,
      },
      user: null,
      metadata: metadata ?? {},
      system_fingerprint: SIMULATOR,
    };
  },
});
