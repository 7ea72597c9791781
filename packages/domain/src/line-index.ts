/** The index of a batch's input: where each request lies, 8 bytes each, so that any run of lines can be cut by one range read. */

export interface LineSpan {
  /** Of the line's first byte in the input. */
  readonly offset: number;
  readonly length: number;
}

const ENTRY_BYTES = 8;

export interface LineIndexWriter {
  add(span: LineSpan): void;
  /** The index so far. */
  toBuffer(): Buffer;
}

/** Offsets and lengths are 32 bits: input files are far smaller than 4 GiB (limits.ts). */
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

/** The entry of line `i` of a piece of the index that begins with line 0 of that piece. */
export function readSpan(piece: Buffer, i: number): LineSpan {
  return { offset: piece.readUInt32LE(i * ENTRY_BYTES), length: piece.readUInt32LE(i * ENTRY_BYTES + 4) };
}

/** How many lines a piece of the index has. */
export function spanCount(piece: Buffer): number {
  return piece.length / ENTRY_BYTES;
}
