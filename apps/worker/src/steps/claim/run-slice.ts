/** `slice.run` claims the slice, reads its bytes, and passes its lines to the lane of its upstream. */
import type { ClaimedSlice, SliceRef } from "@nightshift/db";
import type { WorkerDeps } from "../../deps.ts";
import type { Recorder } from "../record/recorder.ts";
import { tasksOf, todoLines } from "../send/line-task.ts";
import type { UpstreamLane } from "../send/upstream-lane.ts";
import type { InputBlocks } from "./input-blocks.ts";
import type { SliceClaims } from "./slice-claims.ts";

export interface RunSliceDeps extends Pick<WorkerDeps, "logger"> {
  readonly claims: SliceClaims;
  readonly inputs: InputBlocks;
  readonly recorder: Pick<Recorder, "giveBack">;
  /** Aborts when the worker stops. After that, no slice is claimed. */
  readonly stopping: AbortSignal;
}

/** If a slice's bytes cannot be read, the slice can be claimed again after this delay. */
const UNREADABLE_DELAY_MS = 2_000;

/**
 * Resolves when each line of the slice is recorded or back in the ledger, or if the job is stale. Rejects only if the
 * claim fails. The queue then repeats the job.
 */
export async function runSlice(deps: RunSliceDeps, lane: UpstreamLane, slice: SliceRef): Promise<void> {
  const room = await lane.room.wait(deps.stopping);
  if (room === null) return;
  try {
    const claimed = await deps.claims.claim(slice);
    if (claimed === null) return;
    try {
      const running = await startLines(deps, lane, claimed);
      room.release();
      await running.done;
    } finally {
      deps.claims.release(claimed);
    }
  } finally {
    room.release();
  }
}

/** Resolves when the lines are in the lane. `done` resolves when they are recorded or back in the ledger. */
async function startLines(
  deps: RunSliceDeps,
  lane: UpstreamLane,
  slice: ClaimedSlice,
): Promise<{ done: Promise<void> }> {
  try {
    const range = { start: slice.byteOffset, end: slice.byteOffset + slice.byteLength };
    const tasks = tasksOf(slice, await deps.inputs.read(slice.inputBlob, range));
    return { done: lane.run(tasks) };
  } catch (error) {
    deps.logger.warn(
      { err: error, batchId: slice.batchId, slice: slice.sliceNo },
      "could not read a slice; it goes back to the ledger",
    );
    return { done: giveBack(deps, slice) };
  }
}

async function giveBack({ recorder }: RunSliceDeps, slice: ClaimedSlice): Promise<void> {
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
