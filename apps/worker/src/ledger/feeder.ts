/** Keeps an upstream's window full: reads where the next lines lie, moves the checkpoints, enqueues the slices. */
import { feedUpstream, type FeedState, type NewSlice, type WaitingSlice } from "@nightshift/db";
import { planFeed, readSpan, spanCount, WINDOW_BYTES, type PlannedRun } from "@nightshift/domain";
import type { WorkerDeps } from "../deps.ts";
import type { SliceQueue } from "./enqueue-slices.ts";
import type { LineIndexes } from "./line-indexes.ts";

export interface FeederDeps extends Pick<WorkerDeps, "db" | "clock"> {
  readonly indexes: LineIndexes;
  readonly slices: SliceQueue;
  /** Told of slices of small batches, which need not wait for their jobs. */
  readonly onSmall: (slices: readonly WaitingSlice[]) => void;
}

/** Bytes of one slice; a single line may be longer. A worker reads a slice with one range request. */
const SLICE_BYTES = 1024 * 1024;

/** Tops up the window once. Returns how many slices went out. */
export async function feed(deps: FeederDeps, upstream: string): Promise<number> {
  const fed = await feedUpstream(deps.db, upstream, deps.clock(), (state) => cutSlices(deps.indexes, state));
  deps.onSmall(fed.filter((slice) => !slice.isBulk));
  await deps.slices.enqueue(fed);
  return fed.length;
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
      // Always at least one slice, however long its line: else a long line would wait for ever.
      if (slice.byteLength > roomBytes && state.dueLines + slices.length > 0) return slices;
      roomBytes -= slice.byteLength;
      slices.push(slice);
    }
  }
  return slices;
}

/** Cuts the next lines of one batch, each time from where the last run ended. */
type SliceCutter = (run: PlannedRun) => NewSlice[];

async function openCutter(indexes: LineIndexes, state: FeedState, batchNo: number): Promise<SliceCutter> {
  const candidate = state.candidates.find((c) => c.batchNo === batchNo);
  if (candidate === undefined) throw new Error(`batch ${String(batchNo)} was planned and is no candidate`);
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
