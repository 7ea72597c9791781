/**
 * Reads slices of inputs through blocks that are kept for a while: slices of one batch are neighbours, and a range request
 * to an S3 store costs a millisecond of CPU, as much as sending ten lines.
 */
import { LRUCache } from "lru-cache";
import type { ByteRange, ObjectStore } from "@nightshift/storage";

export interface InputBlocks {
  /** The bytes of the range. Rejects as the object store does. */
  read(blob: string, range: ByteRange): Promise<Buffer>;
}

const BLOCK_BYTES = 1024 * 1024;
/** 24 MiB at most. */
const KEPT_BLOCKS = 24;

export function createInputBlocks(objects: Pick<ObjectStore, "read">): InputBlocks {
  const kept = new LRUCache<string, Promise<Buffer>>({ max: KEPT_BLOCKS });

  const block = (blob: string, number: number, start: number): Promise<Buffer> => {
    const id = `${blob} ${String(number)}`;
    const found = kept.get(id);
    if (found !== undefined) return found;
    const read = objects.read(blob, { start, end: start + BLOCK_BYTES });
    kept.set(id, read);
    // A read that failed is not kept: the next one tries again.
    read.catch(() => kept.delete(id));
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
      // A copy: a line that is in flight for minutes must not keep a whole block alive.
      return Buffer.from(bytes.subarray(start - from, end - from));
    },
  };
}
