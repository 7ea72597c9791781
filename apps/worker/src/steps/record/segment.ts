/**
 * Builds a segment: one object with the result lines of a flush. The lines are grouped by batch and file, and each
 * group is one run of bytes.
 */
import type { LineResult } from "@nightshift/db";
import type { FinishedLine, WrittenLine } from "./lines.ts";

export function withoutBytes({ task, outcome }: FinishedLine): WrittenLine {
  const { kind, resultKind, usage, exhaustedBy } = outcome;
  return { task, outcome: { kind, resultKind, usage, exhaustedBy } };
}

export interface Segment {
  readonly body: Buffer;
  readonly results: LineResult[];
  /** Call it when the object is written: the next segment reuses the memory. */
  readonly release: () => void;
}

/** Builds the segment for `key`. Lines of one batch and file keep the order in which they finished. */
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

/**
 * Memory for segments, reused because V8 frees external memory late while its own heap is small. At 1,500 replies of 33
 * KB per second, each segment would leave another megabyte to collect.
 */
export interface SegmentBuffers {
  /** Returns a buffer of exactly that length with arbitrary content. It belongs to the caller until `release`. */
  take(bytes: number): TakenBuffer;
}

export interface TakenBuffer {
  readonly body: Buffer;
  /** Call it when no code reads or writes the buffer any longer. */
  readonly release: () => void;
}

/** A segment is closed at 1 MiB, but its last line may exceed that. */
const BUFFER_BYTES = 1.25 * 1024 * 1024;

/** Keeps at most `maxSpare` unused buffers. */
export function createSegmentBuffers(maxSpare: number): SegmentBuffers {
  const spare: Buffer[] = [];
  return {
    take(bytes) {
      if (bytes > BUFFER_BYTES) return { body: Buffer.allocUnsafeSlow(bytes), release: () => undefined };
      const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
      let isTaken = true;
      return {
        body: buffer.subarray(0, bytes),
        release() {
          if (isTaken && spare.length < maxSpare) spare.push(buffer);
          isTaken = false;
        },
      };
    },
  };
}
