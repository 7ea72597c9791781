/** Turns returned lines into slices of the ledger. */
import type { ClaimedSlice, SliceReturn } from "@nightshift/db";
import type { LinePlace, ReturnedLine } from "./lines.ts";

/**
 * A line that used up an attempt becomes a slice of its own. All other lines of one claim become one slice, with the
 * longest of their delays. Lines are grouped by claim and not by slice number: a slice that was freed and claimed again
 * is another claim, and a stale line of the old claim must not return lines of the new claim.
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
  return [...burned, ...[...unsent.values()].flatMap(toOneReturn)];
}

function toOneReturn(group: readonly ReturnedLine[]): SliceReturn[] {
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
