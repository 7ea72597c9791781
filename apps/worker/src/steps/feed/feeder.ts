/**
 * `upstream.feed` fills an upstream's window. It cuts the next lines into slices, moves the checkpoints, and starts the
 * slices.
 */
import { feedUpstream, type FeedState, type NewSlice } from "@nightshift/db";
import { planFeed, readSpan, spanCount, WINDOW_BYTES, type PlannedRun } from "@nightshift/domain";
import type { WorkerDeps } from "../../deps.ts";
import type { DirectSteps } from "../../direct-steps.ts";
import type { Scheduler } from "../../scheduler.ts";
import type { LineIndexes } from "./line-indexes.ts";

export interface FeedDeps extends Pick<WorkerDeps, "db" | "clock"> {
  readonly indexes: LineIndexes;
  readonly scheduler: Pick<Scheduler, "enqueueSlices">;
  readonly directSteps: Pick<DirectSteps, "run">;
}

/**
 * Maximum size of a slice of more than one line. A slice touches at most two of the blocks in which workers read
 * inputs.
 */
const SLICE_BYTES = 1024 * 1024;

/** Runs slices of small batches directly. They get a job as well, which runs them again if this worker dies. */
export async function feed(deps: FeedDeps, upstream: string): Promise<void> {
  const fed = await feedUpstream(deps.db, upstream, deps.clock(), (state) => cutSlices(deps.indexes, state));
  deps.directSteps.run(fed.filter((slice) => !slice.isBulk));
  await deps.scheduler.enqueueSlices(fed);
}

async function cutSlices(indexes: LineIndexes, state: FeedState): Promise<NewSlice[]> {
  if (state.isPaused) return [];
  const runs = planFeed(
    state,
    state.candidates.map((c) => ({ ...c, left: c.total - c.fedLines })),
  );
  const cutters = new Map<number, SliceCutter>();
  const slices: NewSlice[] = [];
  let roomBytes = Math.max(0, WINDOW_BYTES - state.dueBytes);
  for (const run of runs) {
    const cutter = cutters.get(run.batchNo) ?? (await openCutter(indexes, state, run.batchNo));
    cutters.set(run.batchNo, cutter);
    for (const slice of cutter(run)) {
      // An empty window takes one slice of any size. Otherwise a long line would never be fed.
      if (slice.byteLength > roomBytes && state.dueLines + slices.length > 0) return slices;
      roomBytes -= slice.byteLength;
      slices.push(slice);
    }
  }
  return slices;
}

/** Cuts the next lines of one batch. Each call continues where the last one ended. */
type SliceCutter = (run: PlannedRun) => NewSlice[];

async function openCutter(indexes: LineIndexes, state: FeedState, batchNo: number): Promise<SliceCutter> {
  const candidate = state.candidates.find((c) => c.batchNo === batchNo);
  if (candidate === undefined) throw new Error(`batch ${String(batchNo)} is planned but is not a candidate`);
  const index = await indexes.open(candidate.indexBlob);
  let next = candidate.fedLines;
  return (run) => {
    const slices: NewSlice[] = [];
    const end = Math.min(next + run.lines, spanCount(index));
    while (next < end) {
      const slice = cutOne(index, batchNo, next, end);
      slices.push(slice);
      next += slice.lineCount;
    }
    return slices;
  };
}

function cutOne(index: Buffer, batchNo: number, firstLine: number, endLine: number): NewSlice {
  const { offset } = readSpan(index, firstLine);
  let endByte = offset;
  let line = firstLine;
  while (line < endLine) {
    const span = readSpan(index, line);
    const lineEnd = span.offset + span.length;
    if (line > firstLine && lineEnd - offset > SLICE_BYTES) break;
    endByte = lineEnd;
    line += 1;
  }
  return { batchNo, firstLine, lineCount: line - firstLine, byteOffset: offset, byteLength: endByte - offset };
}
