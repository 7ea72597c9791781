/** Reads a given number of bytes at a time from a stream, regardless of its chunk boundaries. */

export interface ByteReader {
  /** Returns a copy of exactly `count` bytes, or fewer if the stream ends first. */
  take(count: number): Promise<Buffer>;
  /**
   * Yields the next `count` bytes as they arrive, or fewer if the stream ends first. The chunks are not copied, so they
   * still belong to the source.
   */
  pass(count: number): AsyncGenerator<Uint8Array>;
  /** Tells the source that nothing more will be read. */
  close(): Promise<void>;
}

/** Creates a reader, which rejects with the same error if `source` rejects. */
export function createByteReader(source: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array(0);

  async function* pass(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0;) {
      if (chunk.length === 0) {
        const next = await iterator.next();
        if (next.done === true) return;
        chunk = next.value;
        continue;
      }
      const piece = chunk.subarray(0, left);
      chunk = chunk.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
  return {
    pass,
    take: async (count) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of pass(count)) pieces.push(piece);
      return Buffer.concat(pieces);
    },
    close: async () => {
      await iterator.return?.();
    },
  };
}
