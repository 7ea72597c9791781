/** The object that a flush writes: grouped, and each result where the ledger is told it lies. */
import { expect, test } from "@jest/globals";
import type { ResultKind } from "@nightshift/domain";
import fc from "fast-check";
import { claimed, oneTask } from "../../test/line-fixture.ts";
import { createSegmentBuffers } from "./segment-buffers.ts";
import { buildSegment, type FinishedLine } from "./segment.ts";

function finished(batchNo: number, line: number, resultKind: ResultKind, text: string): FinishedLine {
  const task = { ...oneTask(), slice: claimed({ batchNo, requestGen: 2 }), line };
  return {
    task,
    outcome: {
      kind: "done",
      resultKind,
      line: { pieces: [Buffer.from(text)], length: Buffer.byteLength(text) },
      usage: null,
      exhaustedBy: null,
    },
  };
}

const lines = fc.array(
  fc.record({
    batchNo: fc.integer({ min: 1, max: 4 }),
    file: fc.constantFrom("output", "error"),
    text: fc.string({ minLength: 1 }),
  }),
  { maxLength: 30 },
);

test("every result lies where it says, and the results fill the object without gap or overlap", () => {
  fc.assert(
    fc.property(lines, (some) => {
      const input = some.map(({ batchNo, file, text }, line) => finished(batchNo, line, file, text));

      const { body, results } = buildSegment("k", input, createSegmentBuffers(0));

      expect(results).toHaveLength(some.length);
      let end = 0;
      for (const { batchNo, line, resultKind, offset, length } of results) {
        expect({ batchNo, file: resultKind, text: body.toString("utf8", offset, offset + length) }).toEqual(some[line]);
        expect(offset).toBe(end);
        end = offset + length;
      }
      expect(body).toHaveLength(end);
    }),
  );
});

test("lines of one batch and kind are neighbours, in the order in which they finished", () => {
  fc.assert(
    fc.property(lines, (some) => {
      const input = some.map(({ batchNo, file, text }, line) => finished(batchNo, line, file, text));

      const groups = buildSegment("k", input, createSegmentBuffers(0)).results.map(({ batchNo, resultKind, line }) => ({
        group: `${String(batchNo)} ${resultKind}`,
        line,
      }));

      const changes = groups.filter(({ group }, i) => group !== groups[i - 1]?.group).length;
      expect(changes).toBe(new Set(groups.map(({ group }) => group)).size);
      for (const [i, { group, line }] of groups.entries()) {
        const before = groups[i - 1];
        if (before?.group === group) expect(line).toBeGreaterThan(before.line);
      }
    }),
  );
});

test("what the ledger needs of a line comes along", () => {
  const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3, cachedTokens: 0, reasoningTokens: 0 };
  const good = finished(1, 7, "output", "a\n");
  const failed = finished(1, 8, "error", "b\n");

  const { results } = buildSegment(
    "k",
    [
      { ...failed, outcome: { ...failed.outcome, exhaustedBy: "too often" } },
      { ...good, outcome: { ...good.outcome, usage } },
    ],
    createSegmentBuffers(0),
  );

  expect(results).toEqual([
    {
      batchNo: 1,
      line: 7,
      sliceNo: 1,
      requestGen: 2,
      resultKind: "output",
      segment: "k",
      offset: 0,
      length: 2,
      isExhausted: false,
      usage,
    },
    {
      batchNo: 1,
      line: 8,
      sliceNo: 1,
      requestGen: 2,
      resultKind: "error",
      segment: "k",
      offset: 2,
      length: 2,
      isExhausted: true,
      usage: null,
    },
  ]);
});

test("nothing makes an empty object", () => {
  expect(buildSegment("k", [], createSegmentBuffers(0))).toMatchObject({ body: Buffer.alloc(0), results: [] });
});
