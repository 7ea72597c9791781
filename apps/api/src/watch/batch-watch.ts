/**
 * Watches batches for all clients of this process. It reads a batch when the first client begins to watch it, and then
 * once per second, regardless of the number of clients. It does not read a batch that has no watchers.
 */
import { batchProgress, type BatchProgress, type Db } from "@nightshift/db";
import { isFinal } from "@nightshift/domain";
import type { Logger } from "@nightshift/service";
import { createLineRate, type LineRate } from "./line-rate.ts";

const READ_EVERY_MS = 1_000;

export interface WatchedBatch extends BatchProgress {
  /** The speed that this process measured. Null after the first reading. */
  readonly linesPerSecond: number | null;
}

export interface BatchWatcher {
  /** Called with the latest reading at once, and then with each new one. An error that it throws is logged. */
  onReading(batch: WatchedBatch): void;
  /** Called when there will be no more readings: the process stops, or the batch was deleted. */
  onEnd(): void;
}

export interface BatchWatch {
  /** Returns a function that stops the watch. Call it exactly once; the watcher is not called after that. */
  watch(batchNo: number, watcher: BatchWatcher): () => void;
  /**
   * Resolves with the first reading whose `seq` is above `afterSeq`, or whose batch gets no more results. Resolves with
   * null after `timeoutMs`, when `signal` aborts, when the process stops, or if the batch was deleted.
   */
  next(batchNo: number, afterSeq: number, timeoutMs: number, signal: AbortSignal): Promise<WatchedBatch | null>;
}

export interface BatchWatchDeps {
  readonly db: Db;
  readonly logger: Pick<Logger, "warn">;
  readonly isDraining: () => boolean;
}

/** True if the batch gets no more results, except from retries. */
export function isOver(batch: Pick<BatchProgress, "isSealed" | "status">): boolean {
  return batch.isSealed || isFinal(batch.status);
}

interface Entry {
  readonly watchers: Set<BatchWatcher>;
  readonly rate: LineRate;
  latest: WatchedBatch | null;
  timer: NodeJS.Timeout | null;
}

/** Creates a watch. It holds no timer and no connection while no client watches. */
export function createBatchWatch({ db, logger, isDraining }: BatchWatchDeps): BatchWatch {
  const entries = new Map<number, Entry>();

  // A watcher runs outside of a request. Without the catch, its error would end the process with all its streams.
  const callSafely = (batchNo: number, callback: () => void): void => {
    try {
      callback();
    } catch (error) {
      logger.warn({ err: error, batchNo }, "a watcher of a batch failed; the watch continues");
    }
  };
  const publish = (batchNo: number, entry: Entry, found: BatchProgress): void => {
    entry.rate.observe(performance.now(), found.completed + found.failed);
    const latest = { ...found, linesPerSecond: entry.rate.perSecond() };
    entry.latest = latest;
    for (const watcher of [...entry.watchers]) {
      if (!entry.watchers.has(watcher)) continue;
      callSafely(batchNo, () => {
        watcher.onReading(latest);
      });
    }
  };
  const endWatches = (batchNo: number, entry: Entry): void => {
    entries.delete(batchNo);
    for (const watcher of [...entry.watchers]) {
      callSafely(batchNo, () => {
        watcher.onEnd();
      });
    }
  };
  const readProgress = async (batchNo: number): Promise<BatchProgress | "gone" | "unreadable"> => {
    try {
      return (await batchProgress(db, [batchNo]))[0] ?? "gone";
    } catch (error) {
      logger.warn({ err: error, batchNo }, "a watched batch cannot be read; retrying in a second");
      return "unreadable";
    }
  };
  const poll = async (batchNo: number, entry: Entry): Promise<void> => {
    const found = await readProgress(batchNo);
    // During the read, all watchers may have left, and a new one may have created another entry.
    if (entries.get(batchNo) !== entry) return;
    if (found === "gone" || isDraining()) {
      endWatches(batchNo, entry);
      return;
    }
    if (found !== "unreadable") publish(batchNo, entry, found);
    if (entries.get(batchNo) !== entry) return;
    entry.timer = setTimeout(() => {
      if (isDraining()) endWatches(batchNo, entry);
      else void poll(batchNo, entry);
    }, READ_EVERY_MS);
  };

  const watch: BatchWatch["watch"] = (batchNo, watcher) => {
    const known = entries.get(batchNo);
    const entry = known ?? { watchers: new Set(), rate: createLineRate(), latest: null, timer: null };
    entries.set(batchNo, entry);
    entry.watchers.add(watcher);
    if (known === undefined) void poll(batchNo, entry);
    else if (entry.latest !== null) {
      const { latest } = entry;
      callSafely(batchNo, () => {
        watcher.onReading(latest);
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
          settled.abort();
          resolve(result);
        };
        const giveUp = (): void => {
          settle(null);
        };
        const timer = setTimeout(giveUp, timeoutMs);
        settled.signal.addEventListener("abort", () => {
          clearTimeout(timer);
        });
        signal.addEventListener("abort", giveUp, { signal: settled.signal });
        const leave = watch(batchNo, {
          onReading: (reading) => {
            if (reading.seq > afterSeq || isOver(reading)) settle(reading);
          },
          onEnd: giveUp,
        });
        // The call of `watch` may already have settled the promise.
        if (settled.signal.aborted) leave();
        else settled.signal.addEventListener("abort", leave);
        if (signal.aborted) giveUp();
      }),
  };
}
