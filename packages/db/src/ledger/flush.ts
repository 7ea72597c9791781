/** What a worker records in one transaction, and what that transaction returns. */
import type { ResultKind, TokenUsage } from "@nightshift/domain";
import type { WaitingSlice } from "./slice-row.ts";

/** A line with a result, and the place of the result in one of the flush's segments. */
export interface LineResult {
  readonly batchNo: number;
  readonly line: number;
  /** The slice that the line was claimed with. */
  readonly sliceNo: number;
  readonly requestGen: number;
  readonly resultKind: ResultKind;
  /** The key of the segment. */
  readonly segment: string;
  readonly offset: number;
  readonly length: number;
  /** True if the line failed because its attempts ran out. */
  readonly isExhausted: boolean;
  readonly usage: TokenUsage | null;
}

/** Lines that move from their slice to a new slice: a line whose attempt failed, or lines that were never sent. */
export interface SliceReturn {
  readonly batchNo: number;
  /** The slice that the lines leave. Unless it still has this owner and this `gen`, the return is dropped. */
  readonly owner: string;
  readonly sliceNo: number;
  readonly gen: number;
  readonly lines: readonly number[];
  /** The range of the new slice, which covers `lines`. */
  readonly firstLine: number;
  readonly lineCount: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly attempt: number;
  /** The delay until the new slice is due, by the database's clock. */
  readonly delayMs: number;
}

/** A segment whose object is durable. */
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
  /**
   * The results that were recorded. A result is missing here if its line already had a result, or if its batch is
   * sealed.
   */
  readonly results: readonly LineResult[];
  /** The new slices. The caller enqueues each of them after its delay. */
  readonly slices: readonly WaitingSlice[];
  /** Finished batches that have no open retry after this flush. Their files can be rebuilt. */
  readonly retried: readonly number[];
  /** Batches that this flush completed. */
  readonly sealed: readonly number[];
}
