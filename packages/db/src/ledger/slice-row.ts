/** A slice: a run of consecutive lines of one batch that was handed out, and which of them are still to do. */

/** A slice's identity for the queue: `gen` changes whenever a slice is freed, so that old jobs for it are stale. */
export interface SliceRef {
  readonly sliceNo: number;
  readonly gen: number;
}

/** A slice that waits for a worker. `isBulk` is false for small batches, which go before the others. */
export interface WaitingSlice extends SliceRef {
  readonly upstream: string;
  readonly isBulk: boolean;
  /** How long until it may be enqueued. */
  readonly delayMs: number;
}

/** A slice in the hands of a worker, with what it must know of its batch. */
export interface ClaimedSlice extends SliceRef {
  readonly owner: string;
  readonly upstream: string;
  readonly batchNo: number;
  readonly batchId: string;
  readonly tenant: string;
  readonly endpoint: string;
  readonly inputBlob: string;
  /** The batch's; of a retry of a finished batch its own. */
  readonly deadline: Date;
  /** False for small batches, whose lines go before the others. */
  readonly isBulk: boolean;
  readonly firstLine: number;
  readonly lineCount: number;
  readonly byteOffset: number;
  readonly byteLength: number;
  /** Bit i: line firstLine + i is this slice's. */
  readonly todo: bigint;
  /** Attempts that these lines have burned before. */
  readonly attempt: number;
  readonly requestGen: number;
}

/** Batches of at most so many lines go before bulk. */
export const SMALL_BATCH_LINES = 64;

const BITS = 64;

/** Postgres' bigint is signed; a mask has all 64 bits. */
export function fromBigint(text: string): bigint {
  return BigInt.asUintN(BITS, BigInt(text));
}

/** The reverse of `fromBigint`. */
export function toBigint(mask: bigint): string {
  return BigInt.asIntN(BITS, mask).toString();
}

/** The mask of lines first to first + count - 1 of a slice that begins with first. */
export function fullMask(count: number): bigint {
  return (1n << BigInt(count)) - 1n;
}
