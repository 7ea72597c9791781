/** A line that this worker has claimed, until its result is recorded. */
import type { ClaimedSlice } from "@nightshift/db";
import { createLineSplitter, MAX_LINE_BYTES, toRequestLine, type RequestLine } from "@nightshift/domain";
import type { LinePlace } from "../record/lines.ts";
import { LINE_COST, type Cost } from "./cost.ts";

export interface LineTask extends LinePlace {
  readonly request: RequestLine;
  /** The cost of sending the line once. */
  readonly cost: Cost;
}

/** Returns the numbers (in the batch) of the slice's lines that are not done yet. */
export function todoLines(slice: ClaimedSlice): number[] {
  const lines: number[] = [];
  for (let i = 0; i < slice.lineCount; i += 1) {
    if ((slice.todo & (1n << BigInt(i))) !== 0n) lines.push(slice.firstLine + i);
  }
  return lines;
}

/** Returns the slice's lines that are not done yet, cut from the slice's bytes. Blank lines do not count as lines. */
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
      cost: LINE_COST,
    };
  });
}

/** Returns the same key for each attempt of a request. A retry that a user or admin requested has a new key. */
export function idempotencyKey(task: LineTask): string {
  const { batchId, requestGen } = task.slice;
  return `${batchId}-${String(task.line)}-${String(requestGen)}`;
}
