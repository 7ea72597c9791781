/** Claims a slice for a job of the queue, reads its bytes, and hands its lines to the upstream's lane. */
import type { ClaimedSlice, SliceRef } from "@nightshift/db";
import type { WorkerDeps } from "../deps.ts";
import type { Recorder } from "../results/recorder.ts";
import type { InputBlocks } from "./input-blocks.ts";
import { tasksOf, todoLines } from "./line-task.ts";
import type { SliceClaims } from "./slice-claims.ts";
import type { UpstreamLane } from "./upstream-lane.ts";

export interface SliceIntakeDeps extends Pick<WorkerDeps, "logger"> {
  readonly claims: SliceClaims;
  readonly inputs: InputBlocks;
  readonly recorder: Recorder;
}

/** A slice whose bytes cannot be read goes back for so long; nothing of it was sent. */
const UNREADABLE_DELAY_MS = 2_000;

/**
 * Resolves when each line of the slice is recorded or back in the ledger, or when the job turns out to be stale. Rejects
 * only where the claim itself fails: the queue then repeats the job.
 */
export async function runSlice(
  deps: SliceIntakeDeps,
  lane: UpstreamLane,
  slice: SliceRef,
  stopping: AbortSignal,
): Promise<void> {
  const room = await lane.room.wait(stopping);
  if (room === null) return;
  try {
    const claimed = await deps.claims.claim(slice);
    if (claimed === null) return;
    try {
      const running = await begin(deps, lane, claimed);
      room.release();
      await running.done;
    } finally {
      deps.claims.letGo(claimed);
    }
  } finally {
    room.release();
  }
}

async function begin(deps: SliceIntakeDeps, lane: UpstreamLane, slice: ClaimedSlice): Promise<{ done: Promise<void> }> {
  try {
    const range = { start: slice.byteOffset, end: slice.byteOffset + slice.byteLength };
    const tasks = tasksOf(slice, await deps.inputs.read(slice.inputBlob, range));
    return { done: lane.run(tasks) };
  } catch (error) {
    deps.logger.warn(
      { err: error, batchId: slice.batchId, slice: slice.sliceNo },
      "could not read a slice; it goes back",
    );
    return { done: giveBack(deps.recorder, slice) };
  }
}

async function giveBack(recorder: Recorder, slice: ClaimedSlice): Promise<void> {
  const { byteOffset, byteLength } = slice;
  await Promise.all(
    todoLines(slice).map((line) =>
      recorder.giveBack({
        task: { slice, line, byteOffset, byteLength },
        hasBurnedAttempt: false,
        delayMs: UNREADABLE_DELAY_MS,
      }),
    ),
  );
}
