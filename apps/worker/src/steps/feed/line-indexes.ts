/** The indexes of line offsets that validation wrote, the latest used kept in memory: 400 kB for 50,000 lines. */
import { LRUCache } from "lru-cache";
import type { ObjectStore } from "@nightshift/storage";

export interface LineIndexes {
  /** The whole index of one batch, by its blob. */
  open(blob: string): Promise<Buffer>;
  /** Keeps an index that was just written: it is read next. */
  keep(blob: string, index: Buffer): void;
}

const KEPT = 32;

export function createLineIndexes(objects: ObjectStore): LineIndexes {
  const kept = new LRUCache<string, Buffer>({ max: KEPT });
  return {
    async open(blob) {
      const index = kept.get(blob) ?? (await objects.read(blob));
      kept.set(blob, index);
      return index;
    },
    keep: (blob, index) => void kept.set(blob, index),
  };
}
