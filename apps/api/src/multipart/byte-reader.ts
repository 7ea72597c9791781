/** Reads a stream of bytes so many at a time, wherever its chunks are cut. */

export interface ByteReader {
  /** Exactly `count` bytes, a copy of them; fewer where the stream ends before. */
  take(count: number): Promise<Buffer>;
  /** The next `count` bytes as they come; ends earlier where the stream does. Their memory is the source's. */
  pass(count: number): AsyncGenerator<Uint8Array>;
  /** Tells the source that no more is read. */
  close(): Promise<void>;
}

/** Rejects as `source` does. */
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
