/** Counts, by batch, the sent and unsent lines in all lanes of this worker that have no reply yet. */
import { setMaxListeners } from "node:events";

export interface LinesInHand {
  add(batchNo: number): void;
  remove(batchNo: number): void;
  has(batchNo: number): boolean;
  /** Returns the numbers of the batches that have lines here. */
  batches(): number[];
  /**
   * Returns a signal that aborts when the batch's lines in flight must stop. It is aborted if the batch has no lines
   * here.
   */
  signalOf(batchNo: number): AbortSignal;
  /** Aborts the lines in flight of one batch, or of all batches. */
  abort(batchNo?: number): void;
}

interface BatchInHand {
  lines: number;
  readonly inFlight: AbortController;
}

export function createLinesInHand(): LinesInHand {
  const batches = new Map<number, BatchInHand>();
  return {
    add(batchNo) {
      let batch = batches.get(batchNo);
      if (batch === undefined) {
        batch = { lines: 0, inFlight: new AbortController() };
        // Each line in flight listens to the same signal.
        setMaxListeners(0, batch.inFlight.signal);
        batches.set(batchNo, batch);
      }
      batch.lines += 1;
    },
    remove(batchNo) {
      const batch = batches.get(batchNo);
      if (batch === undefined) return;
      batch.lines -= 1;
      if (batch.lines === 0) batches.delete(batchNo);
    },
    has: (batchNo) => batches.has(batchNo),
    batches: () => [...batches.keys()],
    signalOf: (batchNo) => batches.get(batchNo)?.inFlight.signal ?? AbortSignal.abort(),
    abort(batchNo) {
      if (batchNo !== undefined) batches.get(batchNo)?.inFlight.abort();
      else for (const { inFlight } of batches.values()) inFlight.abort();
    },
  };
}
