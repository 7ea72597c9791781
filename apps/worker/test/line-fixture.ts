/** Claimed slices and their lines, with or without a batch in the database. */
import { type BatchView, type ClaimedSlice, type Db, getBatch } from "@nightshift/db";
import { claimedSlice, newBatch, newUpstream, newWorker, startBatch } from "@nightshift/testing/batches";
import { type LineTask, tasksOf } from "../src/steps/send/line-task.ts";

/** Returns a claimed slice of ten lines. `change` replaces some of its fields. */
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

/** Returns a valid line of an input file. */
export function inputLine(customId: string): string {
  const body = { model: "small", messages: [{ role: "user", content: "hi" }] };
  return JSON.stringify({ custom_id: customId, method: "POST", url: "/v1/chat/completions", body });
}

/** Returns the tasks of a slice whose lines differ only in their `custom_id`. */
export function tasksOfSlice(slice: ClaimedSlice): LineTask[] {
  const lines = Array.from({ length: slice.lineCount }, (_, i) => inputLine(`id-${String(slice.firstLine + i)}`));
  return tasksOf(slice, Buffer.from(lines.join("\n")));
}

/** Returns the only line of a slice. */
export function oneTask(change: Partial<ClaimedSlice> = {}): LineTask {
  const [task] = tasksOfSlice(claimed({ lineCount: 1, ...change }));
  if (task === undefined) throw new Error("the slice has no line to do");
  return task;
}

/** A batch whose lines a worker has claimed. */
export interface ClaimedBatch {
  readonly batchNo: number;
  readonly day: number;
  readonly upstream: string;
  readonly worker: string;
  /** One task for each line of the batch. All lines are in one slice. */
  readonly tasks: LineTask[];
  view(): Promise<BatchView | null>;
}

/**
 * Inserts a running batch of up to 64 lines, with its own tenant, upstream and worker, and claims its lines. The worker
 * runs on the host "here".
 */
export async function claimedBatch(db: Db, total: number, pid = process.pid): Promise<ClaimedBatch> {
  const [batch, upstream, worker] = [
    await newBatch(db, { createdAt: new Date() }),
    await newUpstream(db),
    await newWorker(db, { host: "here", pid }),
  ];
  await startBatch(db, batch, total, upstream);
  const slice = await claimedSlice(db, { ...batch, upstream }, total, worker);
  const { batchNo, day } = batch;
  return { batchNo, day, upstream, worker, tasks: tasksOfSlice(slice), view: () => getBatch(db, batchNo) };
}
