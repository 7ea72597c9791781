/** Puts finished lines into one object: grouped by batch and kind, so that each group is one run of bytes. */
import type { LineResult } from "@nightshift/db";
import type { LineTask } from "../lines/line-task.ts";
import type { Outcome } from "../lines/outcome.ts";

/** A line with a result that is not durable yet. */
export interface FinishedLine {
  readonly task: LineTask;
  readonly outcome: Extract<Outcome, { kind: "done" }>;
}

export interface Segment {
  readonly body: Buffer;
  readonly results: LineResult[];
}

/** The object to be put under `key`. Lines of one batch and kind keep the order in which they finished. */
export function buildSegment(key: string, lines: readonly FinishedLine[]): Segment {
  const sorted = [...lines].sort(
    (a, b) =>
      a.task.slice.batch - b.task.slice.batch ||
      (a.outcome.file < b.outcome.file ? 1 : a.outcome.file > b.outcome.file ? -1 : 0),
  );
  let offset = 0;
  const results = sorted.map(({ task, outcome }): LineResult => {
    const result = {
      batch: task.slice.batch,
      line: task.line,
      sliceNo: task.slice.sliceNo,
      requestGen: task.slice.requestGen,
      kind: outcome.file,
      segment: key,
      offset,
      length: outcome.bytes.length,
      isExhausted: outcome.exhaustedBy !== null,
      usage: outcome.usage,
    };
    offset += outcome.bytes.length;
    return result;
  });
  return { body: Buffer.concat(sorted.map((line) => line.outcome.bytes)), results };
}
