/** A slice: a run of consecutive lines of one batch, with one bit for each unfinished line. */

/** Identifies a slice in the queue. `gen` changes whenever the slice is freed, which makes older jobs for it stale. */
export interface SliceRef {
  readonly sliceNo: number;
  readonly gen: number;
}

/** A slice that waits for a worker. */
export interface WaitingSlice extends SliceRef {
  readonly upstream: string;
  /** False for small batches, which go before larger ones. */
  readonly isBulk: boolean;
  /** The delay until the slice may be enqueued. */
  readonly delayMs: number;
}

/** A slice that a worker has claimed, with the facts about its batch that the worker needs. */
export interface ClaimedSlice extends SliceRef {
  readonly owner: string;
  readonly upstream: string;
  readonly batchNo: number;
  readonly batchId: string;
  readonly tenant: string;
  readonly endpoint: string;
  readonly inputBlob: string;
  /** The batch deadline, or the retry's own deadline if the batch has finished. */
  readonly deadline: Date;
  /** False for small batches, whose lines go before the lines of larger ones. */
  readonly isBulk: boolean;
  readonly firstLine: number;
  readonly lineCount: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Bit i is set while line firstLine + i is unfinished. */
  readonly todo: bigint;
  /** The number of failed attempts of these lines. */
  readonly attempt: number;
  readonly requestGen: number;
}

/** Batches with at most this many lines go before larger ones. */
export const SMALL_BATCH_LINES = 64;

const BITS = 64;

/** Reads a mask of 64 bits from a bigint of Postgres, which is signed. */
export function fromBigint(text: string): bigint {
  return BigInt.asUintN(BITS, BigInt(text));
}

/** The reverse of `fromBigint`. */
export function toBigint(mask: bigint): string {
  return BigInt.asIntN(BITS, mask).toString();
}

/** Returns a mask with the lowest `count` bits set. */
export function fullMask(count: number): bigint {
  return (1n << BigInt(count)) - 1n;
}
