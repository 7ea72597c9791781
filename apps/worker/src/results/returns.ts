/** Lines that go back to the ledger: one slice for each that burned an attempt, one for all of a slice that were not sent. */
import type { ClaimedSlice, SliceReturn } from "@nightshift/db";
import type { LinePlace } from "../lines/line-task.ts";

export interface ReturnedLine {
  readonly task: LinePlace;
  readonly hasBurnedAttempt: boolean;
  readonly delayMs: number;
}

/**
 * Lines of the same claim that burned nothing travel together; the longest delay counts for all of them. A slice that was
 * freed and claimed again is another claim: what is left of the old one must not take the new one's lines along.
 */
export function toReturns(lines: readonly ReturnedLine[]): SliceReturn[] {
  const burned = lines
    .filter((line) => line.hasBurnedAttempt)
    .map(({ task, delayMs }) => ({
      ...origin(task),
      lines: [task.line],
      firstLine: task.line,
      lineCount: 1,
      byteOffset: task.byteOffset,
      byteLength: task.byteLength,
      attempt: task.slice.attempt + 1,
      delayMs,
    }));
  const unsent = new Map<ClaimedSlice, ReturnedLine[]>();
  for (const line of lines) {
    if (line.hasBurnedAttempt) continue;
    const { slice } = line.task;
    unsent.set(slice, [...(unsent.get(slice) ?? []), line]);
  }
  return [...burned, ...[...unsent.values()].flatMap(together)];
}

function together(group: readonly ReturnedLine[]): SliceReturn[] {
  const first = group[0];
  if (first === undefined) return [];
  const { slice } = first.task;
  return [
    {
      ...origin(first.task),
      lines: group.map((line) => line.task.line),
      firstLine: slice.firstLine,
      lineCount: slice.lineCount,
      byteOffset: slice.byteOffset,
      byteLength: slice.byteLength,
      attempt: slice.attempt,
      delayMs: Math.max(...group.map((line) => line.delayMs)),
    },
  ];
}

function origin({ slice }: LinePlace): Pick<SliceReturn, "batchNo" | "owner" | "sliceNo" | "gen"> {
  return { batchNo: slice.batchNo, owner: slice.owner, sliceNo: slice.sliceNo, gen: slice.gen };
}
