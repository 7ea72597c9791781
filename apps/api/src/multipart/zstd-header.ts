/** Parses the fields of zstd frame and block headers that are needed before decompression (RFC 8878 §3.1.1). */

export interface FrameHeader {
  /** The number of bytes that a decoder has to keep in memory. */
  readonly windowBytes: number;
  /** True if a four-byte checksum of the content follows the last block. */
  readonly hasChecksum: boolean;
}

export interface BlockHeader {
  readonly isLast: boolean;
  /** The number of bytes in the block after its header. */
  readonly bytes: number;
  /**
   * The decompressed size of a raw block or of a block that repeats one byte. A compressed block may be larger when it
   * is decompressed.
   */
  readonly size: number;
}

export const BLOCK_HEADER_BYTES = 3;

const RLE_BLOCK = 1;

/** Returns how many bytes of the frame header follow the magic number and the descriptor byte. */
export function headerRest(descriptor: number): number {
  return windowDescriptorBytes(descriptor) + dictionaryBytes(descriptor) + contentSizeBytes(descriptor);
}

/** Reads a frame header, which begins after the magic number. */
export function readFrameHeader(header: Buffer): FrameHeader {
  const descriptor = header[0] ?? 0;
  const hasChecksum = (descriptor & 4) !== 0;
  if (!isSingleSegment(descriptor)) {
    const window = header[1] ?? 0;
    const base = 2 ** (10 + (window >> 3));
    return { windowBytes: base + (base / 8) * (window & 7), hasChecksum };
  }
  const bytes = contentSizeBytes(descriptor);
  const size = header.subarray(1 + dictionaryBytes(descriptor));
  // Only the lower six bytes of an eight-byte size are read. If one of the upper two is not zero, the size is too large
  // anyway.
  const low = size.readUIntLE(0, Math.min(bytes, 6)) + (bytes === 2 ? 256 : 0);
  return { windowBytes: bytes === 8 && size.readUInt16LE(6) > 0 ? Number.MAX_SAFE_INTEGER : low, hasChecksum };
}

/** Reads the three bytes before each block. */
export function readBlockHeader(header: Buffer): BlockHeader {
  const bits = header.readUIntLE(0, BLOCK_HEADER_BYTES);
  const size = bits >> 3;
  return { isLast: (bits & 1) === 1, bytes: ((bits >> 1) & 3) === RLE_BLOCK ? 1 : size, size };
}

function isSingleSegment(descriptor: number): boolean {
  return (descriptor & 0x20) !== 0;
}

function windowDescriptorBytes(descriptor: number): number {
  return isSingleSegment(descriptor) ? 0 : 1;
}

function dictionaryBytes(descriptor: number): number {
  return [0, 1, 2, 4][descriptor & 3] ?? 0;
}

function contentSizeBytes(descriptor: number): number {
  const flag = descriptor >> 6;
  if (flag === 0) return isSingleSegment(descriptor) ? 1 : 0;
  return 2 ** flag;
}
