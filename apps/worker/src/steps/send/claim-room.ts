/**
 * Decides how many slices a worker claims: enough to keep its slots busy, but few enough to leave some for other
 * workers.
 */
import type { UnsentLines } from "./unsent-lines.ts";
import type { UpstreamLease } from "./upstream-lease.ts";

export interface RoomReservation {
  /** Ends the reservation, once the claimed lines are in hand or there are none. A second call has no effect. */
  release(): void;
}

export interface ClaimRoom {
  /** Resolves with a reservation when another slice may be claimed, or with null if `signal` aborts first. */
  wait(signal: AbortSignal): Promise<RoomReservation | null>;
  /** Admits the waiting slices for which there is room now. */
  wake(): void;
  /** Returns the number of slices that wait for room or are being claimed. */
  waiting(): number;
  /** Notes how many lines a claimed slice had. The room expects the same number from the next slices. */
  noteSlice(lines: number): void;
  /**
   * Notes that a line's reply has arrived and is not recorded yet. The job of its slice still runs, but needs no slot.
   */
  noteReply(): void;
  noteRecorded(): void;
  /**
   * Returns the number of slices that this worker can use at once, which is the number of jobs to take from the queue.
   */
  wantedSlices(): number;
  /** Calls `listener` when a reservation ends or a slice begins to wait. There is one listener. */
  onChange(listener: () => void): void;
  /** Admits no more slices. */
  close(): void;
}

export interface ClaimRoomDeps {
  readonly unsent: Pick<UnsentLines, "count" | "bytes">;
  readonly lease: Pick<UpstreamLease, "permits" | "pausedMs">;
}

/** While unsent lines have this many bytes or more, no further slice is claimed. */
const MAX_UNSENT_BYTES = 32 * 1024 * 1024;
const UNSENT_PER_PERMIT = 2;
/** Bounds on the number of slices that are taken from the queue at once, regardless of the permits. */
const MIN_SLICES = 2;
const MAX_SLICES = 1_024;
/** Weight of the newest slice in the running mean of slice sizes. */
const NEWEST_SLICE = 0.2;

export function createClaimRoom({ unsent, lease }: ClaimRoomDeps): ClaimRoom {
  /** Maps the function that resolves a waiting slice's promise to the function that stops listening to its signal. */
  const waiting = new Map<(reservation: RoomReservation | null) => void, () => void>();
  let claiming = 0;
  let unrecorded = 0;
  let linesPerSlice = 1;
  let isClosed = false;
  let notify: () => void = () => undefined;

  /** One slice of any size may always be claimed if no other line waits to be sent. */
  const hasRoom = (): boolean => {
    if (isClosed || lease.pausedMs() > 0) return false;
    const count = unsent.count();
    if (count === 0 && claiming === 0) return true;
    const expected = count + claiming * linesPerSlice;
    return expected < UNSENT_PER_PERMIT * lease.permits() && unsent.bytes() < MAX_UNSENT_BYTES;
  };

  const reserve = (): RoomReservation => {
    claiming += 1;
    let isReleased = false;
    return {
      release() {
        if (isReleased) return;
        isReleased = true;
        claiming -= 1;
        notify();
      },
    };
  };

  return {
    wait(signal) {
      if (signal.aborted) return Promise.resolve(null);
      if (waiting.size === 0 && hasRoom()) {
        const reservation = reserve();
        // The lease asks for permits while the slice is claimed and read, not only when its lines are ready to go.
        notify();
        return Promise.resolve(reservation);
      }
      return new Promise((resolve) => {
        const onAbort = (): void => {
          waiting.delete(resolve);
          resolve(null);
        };
        signal.addEventListener("abort", onAbort, { once: true });
        waiting.set(resolve, () => {
          signal.removeEventListener("abort", onAbort);
        });
        notify();
      });
    },
    wake() {
      for (const [resolve, stopListening] of waiting) {
        if (!hasRoom()) return;
        waiting.delete(resolve);
        stopListening();
        resolve(reserve());
      }
    },
    waiting: () => waiting.size + claiming,
    noteSlice(lines) {
      linesPerSlice = linesPerSlice * (1 - NEWEST_SLICE) + lines * NEWEST_SLICE;
    },
    noteReply() {
      unrecorded += 1;
    },
    noteRecorded() {
      unrecorded -= 1;
    },
    wantedSlices() {
      const lines = (1 + UNSENT_PER_PERMIT) * lease.permits() + unrecorded;
      return Math.max(MIN_SLICES, Math.min(MAX_SLICES, Math.ceil(lines / Math.max(1, linesPerSlice)) + 1));
    },
    onChange(listener) {
      notify = listener;
    },
    close() {
      isClosed = true;
    },
  };
}
