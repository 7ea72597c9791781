/** Splits a stream of bytes into JSON lines. Each line has its exact bytes, its number and its offset. */

/**
 * One line of a file, without its line break. Blank lines are counted but left out, because they contain no request.
 */
export interface RawLine {
  /** The line's number, counted from 1 as in an editor. Blank lines count. */
  readonly number: number;
  /** Offset of the line's first byte in the file. */
  readonly offset: number;
  readonly length: number;
  /** Null if the line is longer than the limit. Its bytes were then dropped as they arrived. */
  readonly bytes: Buffer | null;
}

export interface LineSplitter {
  /** Returns the lines that end in this chunk. Their bytes may share memory with the chunk. */
  push(chunk: Uint8Array): RawLine[];
  /** Returns the last line if the file does not end with a line break. */
  end(): RawLine[];
}

const LF = 0x0a;
const CR = 0x0d;
const BOM = [0xef, 0xbb, 0xbf];

/**
 * Creates a splitter. Lines end with LF, and a CR before the LF belongs to the line break. A byte order mark at the
 * start of the file is not part of the first line (RFC 8259 §8.1 allows a parser to ignore it). Lines longer than
 * `maxLineBytes` are returned without their bytes.
 */
export function createLineSplitter(maxLineBytes: number): LineSplitter {
  let number = 0;
  let offset = 0;
  let parts: Buffer[] = [];
  let kept = 0;
  let isTooLong = false;
  let length = 0;

  const keep = (piece: Buffer): void => {
    length += piece.length;
    if (isTooLong) return;
    if (kept + piece.length > maxLineBytes + 1) {
      isTooLong = true;
      parts = [];
      kept = 0;
      return;
    }
    parts.push(piece);
    kept += piece.length;
  };

  const finish = (breakLength: number): RawLine | null => {
    number += 1;
    const line = isTooLong
      ? { number, offset, length, bytes: null }
      : trimmed(
          number,
          offset,
          parts.length === 1 ? (parts[0] ?? Buffer.alloc(0)) : Buffer.concat(parts),
          maxLineBytes,
        );
    offset += length + breakLength;
    parts = [];
    kept = 0;
    length = 0;
    isTooLong = false;
    return line;
  };

  return {
    push(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      const lines: RawLine[] = [];
      let from = 0;
      for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, from)) {
        keep(bytes.subarray(from, at));
        const line = finish(1);
        if (line !== null) lines.push(line);
        from = at + 1;
      }
      // Copy the remaining bytes: they may wait for a long time, and must not keep the whole chunk in memory.
      if (from < bytes.length) keep(from === 0 ? bytes : Buffer.from(bytes.subarray(from)));
      return lines;
    },
    end() {
      const line = length > 0 ? finish(0) : null;
      return line === null ? [] : [line];
    },
  };
}

/** Returns null for a blank line. */
function trimmed(number: number, offset: number, line: Buffer, maxLineBytes: number): RawLine | null {
  const start = number === 1 && BOM.every((byte, i) => line[i] === byte) ? BOM.length : 0;
  const end = line.at(-1) === CR ? line.length - 1 : line.length;
  const bytes = line.subarray(start, Math.max(start, end));
  if (isBlank(bytes)) return null;
  const isTooLong = bytes.length > maxLineBytes;
  return { number, offset: offset + start, length: bytes.length, bytes: isTooLong ? null : bytes };
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09 && byte !== CR) return false;
  return true;
}
