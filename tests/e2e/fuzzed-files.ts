/** Generates damaged input files from valid ones. */
import { BATCH_ENDPOINTS, type BatchEndpoint } from "@nightshift/domain";
import fc from "fast-check";
import { type Change, change } from "./damage.ts";

export interface FuzzedFile {
  readonly endpoint: BatchEndpoint;
  readonly bytes: Buffer;
}

const BODIES: Readonly<Record<BatchEndpoint, object>> = {
  "/v1/chat/completions": { model: "m", messages: [{ role: "user", content: "Ünïcode 🙂?" }] },
  "/v1/embeddings": { model: "m", input: "text" },
  "/v1/completions": { model: "m", prompt: "text" },
  "/v1/responses": { model: "m", input: "text" },
  "/v1/moderations": { model: "m", input: "text" },
  "/v1/images/generations": { model: "m", prompt: "a cat" },
  "/v1/images/edits": { model: "m", prompt: "a cat" },
  "/v1/videos": { model: "m", prompt: "a cat" },
};

function goodFile(endpoint: BatchEndpoint, lines: number, prefix: string): Buffer {
  const texts = Array.from({ length: lines }, (_, index) =>
    JSON.stringify({ custom_id: `${prefix}-${String(index)}`, method: "POST", url: endpoint, body: BODIES[endpoint] }),
  );
  return Buffer.from(`${texts.join("\n")}\n`);
}

/** Any change of the bytes, or another value for a member. */
const mutation: fc.Arbitrary<Change> = fc.oneof(
  { weight: 5, arbitrary: change },
  {
    weight: 1,
    arbitrary: fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), value: fc.json({ maxDepth: 3 }) }).map(
      ({ at, value }) =>
        (file: Buffer) =>
          withValue(file, Math.floor(at * file.length), value),
    ),
  },
);

/** Returns the file with another value for the first member after `start`. */
function withValue(file: Buffer, start: number, value: string): Buffer {
  const colon = file.indexOf('":', start);
  const end = colon === -1 ? -1 : file.indexOf(",", colon);
  if (end === -1) return file;
  return Buffer.concat([file.subarray(0, colon + 2), Buffer.from(value), file.subarray(end)]);
}

/** Returns `count` files with up to four mutations each. The result is the same for the same seed. */
export function fuzzedFiles(count: number, seed: number): FuzzedFile[] {
  const file = fc
    .record({
      endpoint: fc.constantFrom(...BATCH_ENDPOINTS),
      lines: fc.integer({ min: 1, max: 4 }),
      // The upload checks the first line, so most files keep it. A file with a damaged first line does not reach
      // validation.
      isFirstKept: fc.integer({ min: 0, max: 9 }).map((digit) => digit > 0),
      mutations: fc.array(mutation, { minLength: 0, maxLength: 4 }),
    })
    .map(({ endpoint, lines, isFirstKept, mutations }) => ({
      endpoint,
      bytes: Buffer.concat([
        isFirstKept ? goodFile(endpoint, 1, "kept") : Buffer.alloc(0),
        mutations.reduce((bytes, mutate) => mutate(bytes), goodFile(endpoint, lines, "line")),
      ]),
    }));
  return fc.sample(file, { numRuns: count, seed });
}
