import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { isPiece } from "./join-runs.ts";
import type { JoinSource, ObjectPiece } from "./object-store.ts";
import { EVEN_PARTS, planParts, S3_PARTS, type CopyStep, type GatherStep, type PartLimits } from "./part-plan.ts";

const LIMITS: PartLimits = { partBytes: 10, copyBytes: 25, parts: 1_000 };

const object = (key: string): Buffer =>
  Buffer.from(Array.from({ length: 250 }, (_, index) => (index * key.charCodeAt(0)) % 251));
const objects: Readonly<Record<string, Buffer>> = { a: object("a"), b: object("b") };

function bytesOf(source: JoinSource): Uint8Array {
  if (!isPiece(source)) return source;
  return objects[source.key]!.subarray(source.offset, source.offset + source.length);
}

async function* asynchronous<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  for (const item of items) yield await Promise.resolve(item);
}

async function plan(runs: readonly JoinSource[], limits = LIMITS): Promise<(GatherStep | CopyStep)[]> {
  const steps: (GatherStep | CopyStep)[] = [];
  for await (const step of planParts(asynchronous(runs), limits)) steps.push(step);
  return steps;
}

interface Part {
  readonly isCopied: boolean;
  bytes: Buffer;
}

/** Executes the steps. Throws if they are not in the order of parts and bytes. */
function carryOut(steps: readonly (GatherStep | CopyStep)[]): Part[] {
  const parts: Part[] = [];
  for (const step of steps) {
    const isNew = step.kind === "copy" || step.at === 0;
    if (isNew) parts.push({ isCopied: step.kind === "copy", bytes: Buffer.alloc(0) });
    const part = parts.at(-1)!;
    if (step.part !== parts.length) throw new Error(`part ${String(step.part)} comes as the ${String(parts.length)}.`);
    if (step.kind === "gather" && (part.isCopied || step.at !== part.bytes.length)) throw new Error("a gap");
    part.bytes = Buffer.concat([part.bytes, bytesOf(step.kind === "copy" ? step.piece : step.source)]);
  }
  return parts;
}

const run: fc.Arbitrary<JoinSource> = fc.oneof(
  fc.record({ key: fc.constantFrom("a", "b"), offset: fc.nat(100), length: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ key: fc.constantFrom("a", "b"), offset: fc.nat(100), length: fc.integer({ min: 1, max: 150 }) }),
  fc.uint8Array({ minLength: 1, maxLength: 40 }),
);

test("the parts contain the joined bytes and have sizes that S3 accepts", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(run, { maxLength: 20 }), async (runs) => {
      const parts = carryOut(await plan(runs));

      expect(Buffer.concat(parts.map(({ bytes }) => bytes))).toEqual(Buffer.concat(runs.map(bytesOf)));
      for (const { isCopied, bytes } of parts.slice(0, -1)) {
        expect(bytes.length).toBeGreaterThanOrEqual(LIMITS.partBytes);
        expect(bytes.length).toBeLessThanOrEqual(isCopied ? LIMITS.copyBytes : LIMITS.partBytes);
      }
    }),
    { numRuns: 500 },
  );
});

test("the server copies all of a large piece except the bytes that fill the open part", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(run, { maxLength: 20 }), async (runs) => {
      const steps = await plan(runs);
      const copied = steps.reduce((sum, step) => sum + (step.kind === "copy" ? step.piece.length : 0), 0);
      const least = runs.filter(isPiece).filter(({ length }) => length > 2 * LIMITS.partBytes - 1);

      expect(copied).toBeGreaterThanOrEqual(least.reduce((sum, { length }) => sum + length - LIMITS.partBytes + 1, 0));
    }),
  );
});

const piece = (offset: number, length: number): ObjectPiece => ({ key: "a", offset, length });

test.each([
  ["one piece of a part", [piece(0, 10)], ["gather 10"]],
  ["one piece a byte longer", [piece(0, 11)], ["copy 11"]],
  ["as much as is copied at once", [piece(0, 25)], ["copy 25"]],
  ["a byte more, evenly", [piece(0, 26)], ["copy 13", "copy 13"]],
  ["much, evenly", [piece(0, 101)], ["copy 20", "copy 20", "copy 20", "copy 20", "copy 21"]],
  ["a large piece after a remainder", [piece(0, 3), piece(50, 18)], ["gather 10", "copy 11"]],
  ["a piece that is small without its head", [piece(0, 3), piece(50, 17)], ["gather 10", "gather 10"]],
  ["a remainder after a large piece", [piece(0, 11), piece(50, 3)], ["copy 11", "gather 3"]],
  ["a full part before a large piece", [piece(50, 10), piece(0, 11)], ["gather 10", "copy 11"]],
  ["bytes in memory, however many", [new Uint8Array(21)], ["gather 10", "gather 10", "gather 1"]],
])("%s", async (_name, runs, expected) => {
  const parts = carryOut(await plan(runs));

  expect(parts.map(({ isCopied, bytes }) => `${isCopied ? "copy" : "gather"} ${String(bytes.length)}`)).toEqual(
    expected,
  );
});

test("all parts but the last have the same size if the server copies nothing", async () => {
  const limits = { ...LIMITS, copyBytes: EVEN_PARTS.copyBytes };
  const parts = carryOut(await plan([piece(0, 3), piece(50, 101), piece(0, 8)], limits));

  expect(parts.map(({ isCopied, bytes }) => [isCopied, bytes.length])).toEqual([
    ...Array.from({ length: 11 }, () => [false, 10]),
    [false, 2],
  ]);
});

test("uses the maximum number of parts and refuses one more", async () => {
  const limits = { ...LIMITS, parts: 3 };

  expect(await plan([new Uint8Array(30)], limits)).toHaveLength(3);
  await expect(plan([new Uint8Array(31)], limits)).rejects.toThrow("more than 3 parts");
  await expect(plan([new Uint8Array(21), piece(0, 21)], limits)).rejects.toThrow("more than 3 parts");
});

test("says how much can be joined when an object needs more parts than S3 allows", async () => {
  const pieces = Array.from({ length: 10_000 }, () => piece(0, S3_PARTS.copyBytes));

  expect(await plan(pieces, S3_PARTS)).toHaveLength(10_000);
  await expect(plan([...pieces, piece(0, 1)], S3_PARTS)).rejects.toThrow(
    "more than 10000 parts, the maximum; small pieces can be joined up to 48 GiB",
  );
});
