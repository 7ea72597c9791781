/** Tests the groups of lines in a segment, the place of each result as the ledger records it, and the buffers. */
import { expect, test } from "@jest/globals";
import type { ResultKind } from "@nightshift/domain";
import fc from "fast-check";
import { claimed, oneTask } from "../../../test/line-fixture.ts";
import type { FinishedLine } from "./lines.ts";
import { buildSegment, createSegmentBuffers } from "./segment.ts";

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

test("puts every result at its recorded place, without gaps or overlaps", () => {
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

test("keeps lines of one batch and file together, in the order in which they finished", () => {
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

test("passes on the facts that the ledger records about a line", () => {
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

test("builds an empty object from no lines", () => {
  expect(buildSegment("k", [], createSegmentBuffers(0))).toMatchObject({ body: Buffer.alloc(0), results: [] });
});

test.each([0, 1, 1_000, 1024 * 1024, 20 * 1024 * 1024])("takes a buffer of exactly %i bytes", (bytes) => {
  expect(createSegmentBuffers(2).take(bytes).body).toHaveLength(bytes);
});

test("reuses memory after its release, and not before", () => {
  const buffers = createSegmentBuffers(2);
  const first = buffers.take(10);
  const second = buffers.take(10);
  first.release();
  const third = buffers.take(10);

  expect(third.body.buffer).toBe(first.body.buffer);
  expect(second.body.buffer).not.toBe(third.body.buffer);
});

test("gives memory that is released twice to one caller only", () => {
  const buffers = createSegmentBuffers(2);
  const taken = buffers.take(10);
  taken.release();
  taken.release();

  expect(buffers.take(10).body.buffer).not.toBe(buffers.take(10).body.buffer);
});

test("keeps at most maxSpare buffers", () => {
  const buffers = createSegmentBuffers(1);
  const [first, second] = [buffers.take(10), buffers.take(10)];
  first.release();
  second.release();

  expect(buffers.take(10).body.buffer).toBe(first.body.buffer);
  expect(buffers.take(10).body.buffer).not.toBe(second.body.buffer);
});
