/** Puts slices of the ledger into the queues of their upstreams; those with a delay when it is over. */
import type { WaitingSlice } from "@nightshift/db";
import type { JobQueues } from "@nightshift/queue";
import type { Logger } from "@nightshift/service";

export interface SliceQueue {
  /** Never rejects: what cannot be enqueued now is found by the reconciler. */
  enqueue(slices: readonly WaitingSlice[]): Promise<void>;
  /** Forgets the delayed ones: the reconciler of another worker, or of the next start, finds them. */
  close(): void;
}

export function createSliceQueue(queues: JobQueues, logger: Logger): SliceQueue {
  const timers = new Set<NodeJS.Timeout>();

  const enqueueNow = async (slices: readonly WaitingSlice[]): Promise<void> => {
    const byUpstream = new Map<string, WaitingSlice[]>();
    for (const slice of slices) byUpstream.set(slice.upstream, [...(byUpstream.get(slice.upstream) ?? []), slice]);
    for (const [upstream, some] of byUpstream) {
      try {
        await queues.enqueueSlices(upstream, some);
      } catch (error) {
        logger.warn({ err: error, upstream, slices: some.length }, "could not enqueue slices; the reconciler will");
      }
    }
  };

  const enqueueLater = (slices: readonly WaitingSlice[]): void => {
    const byDelay = new Map<number, WaitingSlice[]>();
    for (const slice of slices) byDelay.set(slice.delayMs, [...(byDelay.get(slice.delayMs) ?? []), slice]);
    for (const [delayMs, some] of byDelay) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        void enqueueNow(some);
      }, delayMs + 5);
      timers.add(timer);
    }
  };

  return {
    async enqueue(slices) {
      enqueueLater(slices.filter((slice) => slice.delayMs > 0));
      const due = slices.filter((slice) => slice.delayMs === 0);
      if (due.length > 0) await enqueueNow(due);
    },
    close() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
