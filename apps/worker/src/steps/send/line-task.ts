/** A line in the hands of this worker, from its slice's claim to its record. */
import type { ClaimedSlice } from "@nightshift/db";
import { createLineSplitter, MAX_LINE_BYTES, toRequestLine, type RequestLine } from "@nightshift/domain";

/** A line of a slice, and where it lies in the input. */
export interface LinePlace {
  readonly slice: ClaimedSlice;
  /** From 0, in the batch. */
  readonly line: number;
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface LineTask extends LinePlace {
  readonly request: RequestLine;
}

/** The lines of a slice that are still to do, by their numbers in the batch. */
export function todoLines(slice: ClaimedSlice): number[] {
  const lines: number[] = [];
  for (let i = 0; i < slice.lineCount; i += 1) {
    if ((slice.todo & (1n << BigInt(i))) !== 0n) lines.push(slice.firstLine + i);
  }
  return lines;
}

/** The lines of a slice that are still to do, cut from the slice's bytes. Blank lines between them are no lines. */
export function tasksOf(slice: ClaimedSlice, bytes: Buffer): LineTask[] {
  const splitter = createLineSplitter(MAX_LINE_BYTES);
  const raw = [...splitter.push(bytes), ...splitter.end()];
  if (raw.length !== slice.lineCount) {
    throw new Error(
      `slice ${String(slice.sliceNo)} of ${slice.batchId} should have ${String(slice.lineCount)} lines and has ${String(raw.length)}`,
    );
  }
  return todoLines(slice).flatMap((number) => {
    const line = raw[number - slice.firstLine];
    if (line === undefined || line.bytes === null) return [];
    return {
      slice,
      line: number,
      byteOffset: slice.byteOffset + line.offset,
      byteLength: line.length,
      request: toRequestLine(line.bytes),
    };
  });
}

/** The same for each sending of the same request; a retry that somebody asked for has a new one. */
export function idempotencyKey(task: LineTask): string {
  const { batchId, requestGen } = task.slice;
  return `${batchId}-${String(task.line)}-${String(requestGen)}`;
}
