/**
 * Watches batches for all clients of this process together: each watched batch is read at once and then a second after the
 * last reading, however many look at it, and not at all when nobody does.
 */
import { batchProgress, type BatchProgress, type Db } from "@nightshift/db";
import { isFinal } from "@nightshift/domain";
import type { Logger } from "@nightshift/service";
import { createLineRate, type LineRate } from "./line-rate.ts";

const READ_EVERY_MS = 1_000;

export interface WatchedBatch extends BatchProgress {
  /** As this process has seen it; null at the first look. */
  readonly linesPerSecond: number | null;
}

export interface BatchWatcher {
  /** Called with the latest reading at once, and then with each new one. An error that it throws is logged. */
  seen(batch: WatchedBatch): void;
  /** There is nothing more to see: the process stops, or the batch is gone. */
  ended(): void;
}

export interface BatchWatch {
  /** Returns how to stop, which must be called once; after that the watcher is not called any more. */
  watch(batchNo: number, watcher: BatchWatcher): () => void;
  /**
   * The first reading with a `seq` above `afterSeq`, or of a batch that gets no more results. Null when that takes longer than
   * `timeoutMs`, `signal` aborts, the process stops, or the batch is gone.
   */
  next(batchNo: number, afterSeq: number, timeoutMs: number, signal: AbortSignal): Promise<WatchedBatch | null>;
}

export interface BatchWatchDeps {
  readonly db: Db;
  readonly logger: Pick<Logger, "warn">;
  readonly isDraining: () => boolean;
}

/** True where no more results will come, but for lines that are asked for again. */
export function isOver(batch: Pick<BatchProgress, "isSealed" | "status">): boolean {
  return batch.isSealed || isFinal(batch.status);
}

interface Entry {
  readonly watchers: Set<BatchWatcher>;
  readonly rate: LineRate;
  latest: WatchedBatch | null;
  timer: NodeJS.Timeout | null;
}

/** Holds no timer and no connection while nobody watches. */
export function createBatchWatch({ db, logger, isDraining }: BatchWatchDeps): BatchWatch {
  const entries = new Map<number, Entry>();

  // A watcher runs outside of any request: without the catch, its error would end the process and all other streams.
  const call = (batchNo: number, callback: () => void): void => {
    try {
      callback();
    } catch (error) {
      logger.warn({ err: error, batchNo }, "a watcher of a batch failed; the watch goes on");
    }
  };
  const tell = (batchNo: number, entry: Entry, found: BatchProgress): void => {
    entry.rate.observe(performance.now(), found.completed + found.failed);
    const latest = { ...found, linesPerSecond: entry.rate.perSecond() };
    entry.latest = latest;
    for (const watcher of [...entry.watchers]) {
      if (!entry.watchers.has(watcher)) continue;
      call(batchNo, () => {
        watcher.seen(latest);
      });
    }
  };
  const end = (batchNo: number, entry: Entry): void => {
    entries.delete(batchNo);
    for (const watcher of [...entry.watchers]) {
      call(batchNo, () => {
        watcher.ended();
      });
    }
  };
  const look = async (batchNo: number, entry: Entry): Promise<void> => {
    const found = await read(batchNo);
    // Everybody may have left meanwhile, and somebody else come, who has an entry of his own.
    if (entries.get(batchNo) !== entry) return;
    if (found === "gone" || isDraining()) {
      end(batchNo, entry);
      return;
    }
    if (found !== "unreadable") tell(batchNo, entry, found);
    if (entries.get(batchNo) !== entry) return;
    entry.timer = setTimeout(() => {
      if (isDraining()) end(batchNo, entry);
      else void look(batchNo, entry);
    }, READ_EVERY_MS);
  };
  const read = async (batchNo: number): Promise<BatchProgress | "gone" | "unreadable"> => {
    try {
      return (await batchProgress(db, [batchNo]))[0] ?? "gone";
    } catch (error) {
      logger.warn({ err: error, batchNo }, "a watched batch cannot be read; looking again in a second");
      return "unreadable";
    }
  };

  const watch: BatchWatch["watch"] = (batchNo, watcher) => {
    const known = entries.get(batchNo);
    const entry = known ?? { watchers: new Set(), rate: createLineRate(), latest: null, timer: null };
    entries.set(batchNo, entry);
    entry.watchers.add(watcher);
    if (known === undefined) void look(batchNo, entry);
    else if (entry.latest !== null) {
      const { latest } = entry;
      call(batchNo, () => {
        watcher.seen(latest);
      });
    }
    return () => {
      entry.watchers.delete(watcher);
      if (entry.watchers.size > 0) return;
      if (entry.timer !== null) clearTimeout(entry.timer);
      if (entries.get(batchNo) === entry) entries.delete(batchNo);
    };
  };
  return {
    watch,
    next: (batchNo, afterSeq, timeoutMs, signal) =>
      new Promise((resolve) => {
        const settled = new AbortController();
        const settle = (result: WatchedBatch | null): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", giveUp);
          settled.abort();
          resolve(result);
        };
        const giveUp = (): void => {
          settle(null);
        };
        const timer = setTimeout(giveUp, timeoutMs);
        signal.addEventListener("abort", giveUp);
        const leave = watch(batchNo, {
          seen: (seen) => {
            if (seen.seq > afterSeq || isOver(seen)) settle(seen);
          },
          ended: giveUp,
        });
        // It may have been settled within the call that began to watch.
        if (settled.signal.aborted) leave();
        else settled.signal.addEventListener("abort", leave);
        if (signal.aborted) giveUp();
      }),
  };
}
