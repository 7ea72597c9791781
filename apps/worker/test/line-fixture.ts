/** Slices and lines as a worker has them in hand, for tests that need no ledger behind them. */
import type { ClaimedSlice } from "@nightshift/db";
import { type LineTask, tasksOf } from "../src/lines/line-task.ts";

/** A claimed slice of ten lines of some batch; `change` replaces parts of it. */
export function claimed(change: Partial<ClaimedSlice> = {}): ClaimedSlice {
  const lineCount = change.lineCount ?? 10;
  return {
    owner: "w-1",
    sliceNo: 1,
    gen: 0,
    upstream: "default",
    batchNo: 1,
    batchId: "batch_1",
    tenant: "default",
    endpoint: "/v1/chat/completions",
    inputBlob: "files/input",
    deadline: new Date("2026-08-20T12:00:00Z"),
    firstLine: 0,
    lineCount,
    byteOffset: 0,
    byteLength: 0,
    todo: (1n << BigInt(lineCount)) - 1n,
    attempt: 0,
    requestGen: 0,
    isBulk: false,
    ...change,
  };
}

/** A valid line of an input file. */
export function inputLine(customId: string): string {
  const body = { model: "small", messages: [{ role: "user", content: "hi" }] };
  return JSON.stringify({ custom_id: customId, method: "POST", url: "/v1/chat/completions", body });
}

/** The tasks of a slice whose lines are all of the same kind, one below the other. */
export function tasksOfSlice(slice: ClaimedSlice): LineTask[] {
  const lines = Array.from({ length: slice.lineCount }, (_, i) => inputLine(`id-${String(slice.firstLine + i)}`));
  return tasksOf(slice, Buffer.from(lines.join("\n")));
}

/** One line of a slice of one line. */
export function oneTask(change: Partial<ClaimedSlice> = {}): LineTask {
  const [task] = tasksOfSlice(claimed({ lineCount: 1, ...change }));
  if (task === undefined) throw new Error("the slice has no line to do");
  return task;
}
