/** A cache of the input indexes that validation wrote. An index of 50,000 lines takes 400 kB. */
import { LRUCache } from "lru-cache";
import type { ObjectStore } from "@nightshift/storage";

export interface LineIndexes {
  /** Returns the index of one batch, by the key of its blob. */
  open(blob: string): Promise<Buffer>;
  /** Caches an index that was just written, because the feed reads it next. */
  keep(blob: string, index: Buffer): void;
}

const MAX_INDEXES = 32;

export function createLineIndexes(objects: ObjectStore): LineIndexes {
  const kept = new LRUCache<string, Buffer>({ max: MAX_INDEXES });
  return {
    async open(blob) {
      const index = kept.get(blob) ?? (await objects.read(blob));
      kept.set(blob, index);
      return index;
    },
    keep: (blob, index) => void kept.set(blob, index),
  };
}
