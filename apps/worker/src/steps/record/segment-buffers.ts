/**
 * Memory for segments, used again and again: at 1,500 replies of 33 KB a second each of them would be another megabyte that
 * nobody needs any more, and V8 collects such memory late, because its own heap is small.
 */

export interface SegmentBuffers {
  /** A buffer of exactly so many bytes, with anything in it; it is the caller's until `release`. */
  take(bytes: number): TakenBuffer;
}

export interface TakenBuffer {
  readonly body: Buffer;
  /** Nobody reads or writes it any more. */
  readonly release: () => void;
}

/** A segment is closed at 1 MiB; the line that filled it may be larger. */
const BUFFER_BYTES = 1.25 * 1024 * 1024;

/** Keeps at most `maxSpare` buffers that nobody uses. */
export function createSegmentBuffers(maxSpare: number): SegmentBuffers {
  const spare: Buffer[] = [];
  return {
    take(bytes) {
      if (bytes > BUFFER_BYTES) return { body: Buffer.allocUnsafeSlow(bytes), release: () => undefined };
      const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
      let isTaken = true;
      return {
        body: buffer.subarray(0, bytes),
        release() {
          if (isTaken && spare.length < maxSpare) spare.push(buffer);
          isTaken = false;
        },
      };
    },
  };
}
