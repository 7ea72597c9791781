/** Puts finished lines into one object: grouped by batch and kind, so that each group is one run of bytes. */
import type { LineResult } from "@nightshift/db";
import type { LineTask } from "../lines/line-task.ts";
import type { Outcome } from "../lines/outcome.ts";
import type { SegmentBuffers } from "./segment-buffers.ts";

type Done = Extract<Outcome, { kind: "done" }>;

/** A line with a result that is not durable yet. */
export interface FinishedLine {
  readonly task: LineTask;
  readonly outcome: Done;
}

/** A line whose result is durable: its bytes need no memory any more. */
export interface WrittenLine {
  readonly task: LineTask;
  readonly outcome: Omit<Done, "line">;
}

export function withoutBytes({ task, outcome }: FinishedLine): WrittenLine {
  const { kind, resultKind, usage, exhaustedBy } = outcome;
  return { task, outcome: { kind, resultKind, usage, exhaustedBy } };
}

export interface Segment {
  readonly body: Buffer;
  readonly results: LineResult[];
  /** The object is written: its memory serves the next one. */
  readonly release: () => void;
}

/** The object to be put under `key`. Lines of one batch and kind keep the order in which they finished. */
export function buildSegment(key: string, lines: readonly FinishedLine[], buffers: SegmentBuffers): Segment {
  const sorted = [...lines].sort(
    (a, b) =>
      a.task.slice.batchNo - b.task.slice.batchNo ||
      (a.outcome.resultKind < b.outcome.resultKind ? 1 : a.outcome.resultKind > b.outcome.resultKind ? -1 : 0),
  );
  let offset = 0;
  const results = sorted.map(({ task, outcome }): LineResult => {
    const result = {
      batchNo: task.slice.batchNo,
      line: task.line,
      sliceNo: task.slice.sliceNo,
      requestGen: task.slice.requestGen,
      resultKind: outcome.resultKind,
      segment: key,
      offset,
      length: outcome.line.length,
      isExhausted: outcome.exhaustedBy !== null,
      usage: outcome.usage,
    };
    offset += outcome.line.length;
    return result;
  });
  const { body, release } = buffers.take(offset);
  let filled = 0;
  for (const { outcome } of sorted) for (const piece of outcome.line.pieces) filled += piece.copy(body, filled);
  return { body, results, release };
}
