/** The index of a batch's input: 8 bytes for each request, so that one range read can fetch any run of lines. */

export interface LineSpan {
  /** Offset of the line's first byte in the input. */
  readonly offset: number;
  readonly length: number;
}

const ENTRY_BYTES = 8;

export interface LineIndexWriter {
  add(span: LineSpan): void;
  /** Returns the index so far. */
  toBuffer(): Buffer;
}

/** Offsets and lengths have 32 bits, because input files are far smaller than 4 GiB (limits.ts). */
export function createLineIndex(): LineIndexWriter {
  let buffer = Buffer.alloc(ENTRY_BYTES * 1024);
  let used = 0;
  return {
    add(span) {
      if (used === buffer.length) buffer = Buffer.concat([buffer, Buffer.alloc(buffer.length)]);
      buffer.writeUInt32LE(span.offset, used);
      buffer.writeUInt32LE(span.length, used + 4);
      used += ENTRY_BYTES;
    },
    toBuffer: () => buffer.subarray(0, used),
  };
}

/** Returns the entry of a line, counted from 0. */
export function readSpan(index: Buffer, line: number): LineSpan {
  return { offset: index.readUInt32LE(line * ENTRY_BYTES), length: index.readUInt32LE(line * ENTRY_BYTES + 4) };
}

/** Returns how many lines an index has. */
export function spanCount(index: Buffer): number {
  return index.length / ENTRY_BYTES;
}
