import { expect, test } from "@jest/globals";
import { findEndpoint } from "./find-endpoint.ts";
import type { ReplyContext } from "./simulated-text.ts";

const CONTEXT: ReplyContext = { id: "0123456789abcdef01234567", replyBytes: 0, dimensions: 1536, seed: 1 };

/** Returns the reply as a client parses it. */
function reply(path: string, body: object, context: Partial<ReplyContext> = {}): Record<string, unknown> {
  const outcome = findEndpoint(path)?.(body, { ...CONTEXT, ...context });
  if (outcome === undefined || "error" in outcome) throw new Error(`no reply: ${JSON.stringify(outcome)}`);
  const text = typeof outcome.reply === "string" ? outcome.reply : JSON.stringify(outcome.reply);
  return JSON.parse(text) as Record<string, unknown>;
}

const OPENING = "Simulated by Nightshift, not a model: ";

test("a chat completion has OpenAI's format and the simulator's text", () => {
  const body = {
    model: "gpt-4",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "What is\n 2+2?" }] },
    ],
  };

  expect(reply("/v1/chat/completions", body)).toEqual({
    id: "chatcmpl-0123456789abcdef01234567",
    object: "chat.completion",
    created: expect.any(Number),
    model: "nightshift-simulator",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: `${OPENING}the prompt was "What is 2+2?"`,
          refusal: null,
          annotations: [],
        },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage: expect.objectContaining({ prompt_tokens: 15, completion_tokens: 17, total_tokens: 32 }),
    service_tier: "default",
    system_fingerprint: "nightshift-simulator",
  });
});

test("finds text in lists of any depth", () => {
  const nested = JSON.parse(
    `${"[".repeat(100_000)}"a", {"content": [{"text": "b"}, "", "c"]}${"]".repeat(100_000)}`,
  ) as unknown;

  const { choices } = reply("/chat/completions", { model: "m", messages: [{ role: "user", content: nested }] }) as {
    choices: { message: { content: string } }[];
  };

  expect(choices[0]!.message.content).toBe(`${OPENING}the prompt was "a b c"`);
});

test("makes n different texts for n choices", () => {
  const body = { model: "m", messages: [{ role: "user", content: "hi" }], n: 8 };

  const { choices } = reply("/chat/completions", body) as {
    choices: { index: number; message: { content: string } }[];
  };

  expect(choices.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(new Set(choices.map(({ message }) => message.content)).size).toBe(8);
});

test("pads a text to exactly the given number of bytes", () => {
  const body = { model: "m", messages: [{ role: "user", content: "ünïcödé 🌙" }] };

  const { choices } = reply("/chat/completions", body, { replyBytes: 5_000 }) as {
    choices: { message: { content: string } }[];
  };

  expect(Buffer.byteLength(choices[0]!.message.content)).toBe(5_000);
  expect(choices[0]!.message.content).toMatch(new RegExp(`^${OPENING}`));
});

test("shortens a long prompt without splitting a character", () => {
  const body = { model: "m", prompt: `${"x".repeat(79)}🌙🌙🌙` };

  const { choices } = reply("/completions", body) as { choices: { text: string }[] };

  expect(choices[0]!.text).toBe(`${OPENING}the prompt was "${"x".repeat(79)}…"`);
});

test("a completion has the choices of each prompt", () => {
  const completion = reply("/completions", { model: "m", prompt: ["one", "two"], n: 2 });

  expect(completion).toMatchObject({ object: "text_completion", model: "nightshift-simulator" });
  expect(completion["choices"]).toEqual([
    expect.objectContaining({ index: 0, text: `${OPENING}the prompt was "one"` }),
    expect.objectContaining({ index: 1, text: `${OPENING}the prompt (choice 2) was "one"` }),
    expect.objectContaining({ index: 2, text: `${OPENING}the prompt was "two"` }),
    expect.objectContaining({ index: 3, text: `${OPENING}the prompt (choice 2) was "two"` }),
  ]);
});

test.each([
  ["a text", "hi"],
  ["messages", [{ role: "user", content: "hi" }]],
  ["messages in parts", [{ role: "user", content: [{ type: "input_text", text: "hi" }] }]],
])("a response to %s has OpenAI's format and the simulator's text", (_, input) => {
  expect(reply("/v1/responses", { model: "m", input })).toMatchObject({
    object: "response",
    status: "completed",
    model: "nightshift-simulator",
    output: [{ type: "message", content: [{ type: "output_text", text: `${OPENING}the prompt was "hi"` }] }],
    usage: { input_tokens: 1, output_tokens: expect.any(Number), total_tokens: expect.any(Number) },
  });
});

test("a moderation has one result for each text", () => {
  const { model, results } = reply("/moderations", { input: ["a", "b"] }) as { model: string; results: object[] };

  expect(model).toBe("nightshift-simulator");
  expect(results).toHaveLength(2);
  expect(results[0]).toMatchObject({ flagged: false, categories: { violence: false } });
  expect(
    reply("/moderations", {
      input: [
        { type: "text", text: "a" },
        { type: "text", text: "b" },
      ],
    }),
  ).toMatchObject({
    results: [{ flagged: false }],
  });
});

test("an image is a PNG with the simulator's text as the revised prompt", () => {
  const { data } = reply("/images/generations", { prompt: "a cat", n: 2 }) as {
    data: { b64_json: string; revised_prompt: string }[];
  };

  expect(data).toHaveLength(2);
  expect(data[0]!.revised_prompt).toBe(`${OPENING}the prompt was "a cat"`);
  expect(Buffer.from(data[0]!.b64_json, "base64").subarray(1, 4).toString()).toBe("PNG");
  expect(reply("/images/generations", { prompt: "a cat", response_format: "url" })).toMatchObject({
    data: [{ url: expect.stringMatching(/^data:image\/png;base64,/) }],
  });
});

test("an edited image counts the source images as tokens", () => {
  const body = { prompt: "a cat", images: [{ file_id: "file-1" }, { image_url: "data:image/png;base64," }] };

  expect(reply("/v1/images/edits", body)).toMatchObject({
    data: [{ revised_prompt: `${OPENING}the prompt was "a cat"` }],
    usage: { input_tokens: 4, input_tokens_details: { text_tokens: 2, image_tokens: 2 }, total_tokens: 5 },
  });
});

test("a video is a completed job", () => {
  expect(reply("/v1/videos", { model: "m", prompt: "a cat", seconds: "8" })).toEqual({
    id: "video_0123456789abcdef01234567",
    object: "video",
    model: "nightshift-simulator",
    status: "completed",
    progress: 100,
    created_at: expect.any(Number),
    completed_at: expect.any(Number),
    expires_at: null,
    error: null,
    prompt: `${OPENING}the prompt was "a cat"`,
    remixed_from_video_id: null,
    seconds: "8",
    size: "720x1280",
  });
});

interface Embeddings {
  readonly model: string;
  readonly data: { readonly index: number; readonly embedding: number[] }[];
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

const embed = (body: object, context?: Partial<ReplyContext>): Embeddings =>
  reply("/v1/embeddings", { model: "m", ...body }, context) as unknown as Embeddings;

test("embeddings are unit vectors that differ by input", () => {
  const { model, data, usage } = embed({ input: ["one", "two", "one"] });

  expect(model).toBe("nightshift-simulator");
  expect(data.map(({ index, embedding }) => [index, embedding.length])).toEqual([
    [0, 1536],
    [1, 1536],
    [2, 1536],
  ]);
  for (const { embedding } of data) expect(Math.hypot(...embedding)).toBeCloseTo(1, 5);
  expect(data[0]!.embedding).toEqual(data[2]!.embedding);
  expect(data[0]!.embedding).not.toEqual(data[1]!.embedding);
  expect(usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
});

test("an embedding depends on the seed", () => {
  expect(embed({ input: "a" }, { seed: 2 }).data).not.toEqual(embed({ input: "a" }).data);
});

test("an embedding has the dimensions in the request, or else in the settings", () => {
  expect(embed({ input: "a", dimensions: 3 }).data[0]!.embedding).toHaveLength(3);
  expect(embed({ input: "a" }, { dimensions: 7 }).data[0]!.embedding).toHaveLength(7);
});

test("an embedding in base64 has the same numbers as 32-bit floats", () => {
  const [floats] = embed({ input: "a", dimensions: 33 }).data;
  const [encoded] = reply("/embeddings", { model: "m", input: "a", dimensions: 33, encoding_format: "base64" })[
    "data"
  ] as { embedding: string }[];
  const bytes = Buffer.from(encoded!.embedding, "base64");

  const decoded = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));

  expect(decoded).toEqual(floats!.embedding);
});

test.each([
  ["tokens", [5, 6, 7], 1, 3],
  ["lists of tokens", [[5, 6], [7]], 2, 3],
])("accepts %s as inputs, and counts them exactly", (_, input, vectors, tokens) => {
  const { data, usage } = embed({ input, dimensions: 2 });

  expect(data).toHaveLength(vectors);
  expect(usage.prompt_tokens).toBe(tokens);
});
