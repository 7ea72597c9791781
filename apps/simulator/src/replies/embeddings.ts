/** POST /embeddings: unit vectors that depend only on the input, made fast enough for load tests. */
import { Type } from "@sinclair/typebox";
import { createRandom, drawNormal } from "../random.ts";
import { defineEndpoint } from "./simulated-endpoint.ts";
import { listInputs, type SingleInput, TextInput, textOf, tokensOf } from "./inputs.ts";
import { SIMULATOR } from "./simulated-text.ts";

export const embeddings = defineEndpoint({
  body: Type.Object({
    model: Type.String({ minLength: 1 }),
    input: TextInput,
    dimensions: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 8192 }), Type.Null()])),
    encoding_format: Type.Optional(Type.Union([Type.Literal("float"), Type.Literal("base64"), Type.Null()])),
  }),
  reply(body, { dimensions, seed }) {
    const inputs = listInputs(body.input);
    const base = baseVector(body.dimensions ?? dimensions);
    const print = body.encoding_format === "base64" ? printBase64 : printFloats;
    const data = inputs.map((input, index) => {
      const embedding = print(base, variationOf(input, seed));
      return `{"object":"embedding","index":${String(index)},"embedding":${embedding}}`;
    });
    const tokens = String(inputs.reduce((total, input) => total + tokensOf(input), 0));
    const usage = `{"prompt_tokens":${tokens},"total_tokens":${tokens}}`;
    return `{"object":"list","data":[${data.join(",")}],"model":"${SIMULATOR}","usage":${usage}}`;
  },
});

/**
 * The numbers of one length, drawn and printed once. The vector of an input has these numbers in another order and with
 * other signs.
 */
interface BaseVector {
  readonly numbers: Float32Array;
  readonly positive: readonly string[];
  readonly negative: readonly string[];
}

const baseVectors = new Map<number, BaseVector>();

function baseVector(dimensions: number): BaseVector {
  let base = baseVectors.get(dimensions);
  if (base === undefined) baseVectors.set(dimensions, (base = drawBase(dimensions)));
  return base;
}

function drawBase(dimensions: number): BaseVector {
  const random = createRandom(`embedding ${String(dimensions)}`);
  const drawn = Array.from({ length: dimensions }, () => Math.abs(drawNormal(random)));
  const length = Math.hypot(...drawn);
  const numbers = Float32Array.from(drawn, (number) => number / length);
  const positive = Array.from(numbers, (number) => String(number));
  return { numbers, positive, negative: positive.map((text) => `-${text}`) };
}

/** The properties that distinguish the vector of an input: its start in the base vector, and 32 repeating signs. */
interface Variation {
  readonly offset: number;
  readonly signs: number;
}

function variationOf(input: SingleInput, seed: number): Variation {
  const random = createRandom(`${String(seed)} ${textOf(input)}`);
  return { offset: random(), signs: Math.floor(random() * 4_294_967_296) };
}

function printFloats({ positive, negative }: BaseVector, { offset, signs }: Variation): string {
  const count = positive.length;
  let at = Math.floor(offset * count);
  let text = "";
  for (let i = 0; i < count; i++) {
    const from = (signs >>> (i & 31)) & 1 ? negative : positive;
    text += i === 0 ? (from[at] ?? "") : `,${from[at] ?? ""}`;
    at = at + 1 === count ? 0 : at + 1;
  }
  return `[${text}]`;
}

/** Returns the vector as base64 of little-endian 32-bit floats, as OpenAI sends it. */
function printBase64({ numbers }: BaseVector, { offset, signs }: Variation): string {
  const count = numbers.length;
  const bytes = Buffer.allocUnsafe(count * 4);
  let at = Math.floor(offset * count);
  for (let i = 0; i < count; i++) {
    const number = numbers[at] ?? 0;
    bytes.writeFloatLE((signs >>> (i & 31)) & 1 ? -number : number, i * 4);
    at = at + 1 === count ? 0 : at + 1;
  }
  return `"${bytes.toString("base64")}"`;
}
