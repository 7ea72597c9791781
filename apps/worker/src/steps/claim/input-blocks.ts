/**
 * Reads slices of input files through a cache of blocks. Slices of one batch are neighbours, and a range request to an
 * S3 store costs 1 ms of CPU, as much as sending ten lines.
 */
import { LRUCache } from "lru-cache";
import type { ByteRange, ObjectStore } from "@nightshift/storage";

export interface InputBlocks {
  /** Returns the bytes of the range. Rejects if the object store rejects. */
  read(blob: string, range: ByteRange): Promise<Buffer>;
}

const BLOCK_BYTES = 1024 * 1024;
/** The blocks take at most 24 MiB. */
const MAX_BLOCKS = 24;

export function createInputBlocks(objects: Pick<ObjectStore, "read">): InputBlocks {
  const cache = new LRUCache<string, Promise<Buffer>>({ max: MAX_BLOCKS });

  const block = (blob: string, number: number, start: number): Promise<Buffer> => {
    const id = `${blob} ${String(number)}`;
    const found = cache.get(id);
    if (found !== undefined) return found;
    const read = objects.read(blob, { start, end: start + BLOCK_BYTES });
    cache.set(id, read);
    // A failed read is not cached: the next caller reads again.
    read.catch(() => cache.delete(id));
    return read;
  };

  return {
    async read(blob, { start, end }) {
      const first = Math.floor(start / BLOCK_BYTES);
      const last = Math.floor((end - 1) / BLOCK_BYTES);
      if (last > first + 1) return objects.read(blob, { start, end });
      const from = first * BLOCK_BYTES;
      const head = await block(blob, first, from);
      const bytes = first === last ? head : Buffer.concat([head, await block(blob, last, last * BLOCK_BYTES)]);
      // Copy the bytes, because a line that is in flight for minutes must not keep a whole block in memory.
      return Buffer.from(bytes.subarray(start - from, end - from));
    },
  };
}
