/** What a worker records in one go, and what came of it. */
import type { TokenUsage } from "../batches/batch-view.ts";
import type { WaitingSlice } from "./slice-row.ts";

/** A finished line and where its result lies: in which of the flush's segments, and there. */
export interface LineResult {
  readonly batchNo: number;
  readonly line: number;
  /** The slice that it was claimed with. */
  readonly sliceNo: number;
  readonly requestGen: number;
  readonly kind: "output" | "error";
  /** The segment's key. */
  readonly segment: string;
  readonly offset: number;
  readonly length: number;
  /** Failed because its attempts ran out. */
  readonly isExhausted: boolean;
  readonly usage: TokenUsage | null;
}

/** Lines of one slice that go to a new slice: one that burned an attempt, or those that were never sent. */
export interface SliceReturn {
  readonly batchNo: number;
  /** The slice that they leave; it must still be this owner's, with this `gen`, or the return is dropped. */
  readonly owner: string;
  readonly sliceNo: number;
  readonly gen: number;
  readonly lines: readonly number[];
  /** Where the new slice begins and ends; it covers `lines`. */
  readonly firstLine: number;
  readonly lineCount: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly attempt: number;
  /** From now, by the database's clock. */
  readonly delayMs: number;
}

/** A segment object that is durable. */
export interface WrittenSegment {
  readonly key: string;
  readonly bytes: number;
}

export interface Flush {
  readonly segments: readonly WrittenSegment[];
  readonly results: readonly LineResult[];
  readonly returns: readonly SliceReturn[];
}

export interface Recorded {
  /** The results that this flush brought; the others had a result already, or their batch is sealed and nobody retries the line. */
  readonly results: readonly LineResult[];
  /** New slices, to be enqueued when their delay is over. */
  readonly slices: readonly WaitingSlice[];
  /** Finished batches whose last open retry this flush answered: their files can be rebuilt. */
  readonly retried: readonly number[];
  /** Batches that this flush completed. */
  readonly sealed: readonly number[];
}
