import { expect, test } from "@jest/globals";
import { toRuns } from "./join-runs.ts";
import type { JoinSource } from "./object-store.ts";

async function runsOf(sources: Iterable<JoinSource> | AsyncIterable<JoinSource>): Promise<JoinSource[]> {
  const runs: JoinSource[] = [];
  for await (const run of toRuns(sources)) runs.push(run);
  return runs;
}

const piece = (key: string, offset: number, length: number): JoinSource => ({ key, offset, length });

test("merges adjacent pieces of an object, even with empty sources between them", async () => {
  const sources = [
    piece("a", 5, 10),
    piece("a", 15, 1),
    piece("b", 0, 0),
    new Uint8Array(),
    piece("a", 16, 4),
    piece("b", 20, 4),
  ];

  expect(await runsOf(sources)).toEqual([piece("a", 5, 15), piece("b", 20, 4)]);
});

test.each([
  ["another object", [piece("a", 0, 5), piece("b", 5, 5)]],
  ["a gap", [piece("a", 0, 5), piece("a", 6, 5)]],
  ["an overlap", [piece("a", 0, 5), piece("a", 4, 5)]],
  ["the same piece again", [piece("a", 0, 5), piece("a", 0, 5)]],
  ["bytes in memory", [piece("a", 0, 5), Uint8Array.of(1), piece("a", 5, 5)]],
  ["bytes in memory on both sides", [Uint8Array.of(1), Uint8Array.of(2)]],
])("does not merge across %s", async (_name, sources) => {
  expect(await runsOf(sources)).toEqual(sources);
});

test("refuses an invalid piece, even an empty one", async () => {
  await expect(runsOf([piece("../a", 0, 0)])).rejects.toThrow("is not a valid key");
  await expect(runsOf([piece("a", -1, 0)])).rejects.toThrow(RangeError);
  await expect(runsOf([piece("a", Number.MAX_SAFE_INTEGER, 5)])).rejects.toThrow(RangeError);
});
