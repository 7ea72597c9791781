/** How many slices a worker claims: enough to keep its slots busy, so few that other workers find some too. */

export interface RoomReservation {
  /** Ends the reservation: the claim's lines are in hand, or there are none. May be called again. */
  release(): void;
}

export interface ClaimRoom {
  /** Resolves with a reservation when another slice may be claimed; with null when `signal` aborts first. */
  wait(signal: AbortSignal): Promise<RoomReservation | null>;
  /** Lets those go on that there is room for now. */
  wake(): void;
  /** Slices that wait for room, or are being claimed. */
  waiting(): number;
  /** A slice of so many lines was claimed: the measure for the next ones. */
  noteSlice(lines: number): void;
  /** Slices that this worker can use at once, as a number of jobs to take from the queue. */
  wantedSlices(): number;
}

export interface ClaimRoomDeps {
  /** Lines that this worker may have in flight. */
  readonly permits: () => number;
  readonly unsent: () => { readonly count: number; readonly bytes: number };
  /** Lines whose reply is in and whose result is not recorded yet: their slices' jobs still run, and need no slots. */
  readonly unrecorded: () => number;
  /** True where nothing is to be claimed: the upstream is paused, or the worker stops. */
  readonly isClosed: () => boolean;
  /** Called when a reservation ends or somebody begins to wait. */
  readonly onChange: () => void;
}

/** Bytes of unsent lines beyond which no further slice is claimed. */
const MAX_UNSENT_BYTES = 32 * 1024 * 1024;
/** Unsent lines in units of the permits held. */
const UNSENT_PER_PERMIT = 2;
/** Slices taken from the queue at once, whatever the permits. */
const MIN_SLICES = 2;
const MAX_SLICES = 1_024;
/** Weight of the newest slice in the running mean of their sizes. */
const NEWEST_SLICE = 0.2;

export function createClaimRoom(deps: ClaimRoomDeps): ClaimRoom {
  const waiting = new Set<() => void>();
  let claiming = 0;
  let linesPerSlice = 1;

  /** One slice may always be claimed, however large, where nothing else waits to be sent. */
  const hasRoom = (): boolean => {
    if (deps.isClosed()) return false;
    const unsent = deps.unsent();
    if (unsent.count === 0 && claiming === 0) return true;
    const expected = unsent.count + claiming * linesPerSlice;
    return expected < UNSENT_PER_PERMIT * deps.permits() && unsent.bytes < MAX_UNSENT_BYTES;
  };

  const reserve = (): RoomReservation => {
    claiming += 1;
    let isReleased = false;
    return {
      release() {
        if (isReleased) return;
        isReleased = true;
        claiming -= 1;
        deps.onChange();
      },
    };
  };

  return {
    wait(signal) {
      if (signal.aborted) return Promise.resolve(null);
      if (waiting.size === 0 && hasRoom()) {
        const reservation = reserve();
        // The permits are asked for while the slice is claimed and read, not when its lines want to go.
        deps.onChange();
        return Promise.resolve(reservation);
      }
      return new Promise((resolve) => {
        const goOn = (): void => {
          signal.removeEventListener("abort", onAbort);
          resolve(reserve());
        };
        const onAbort = (): void => {
          waiting.delete(goOn);
          resolve(null);
        };
        signal.addEventListener("abort", onAbort, { once: true });
        waiting.add(goOn);
        deps.onChange();
      });
    },
    wake() {
      for (const goOn of waiting) {
        if (!hasRoom()) return;
        waiting.delete(goOn);
        goOn();
      }
    },
    waiting: () => waiting.size + claiming,
    noteSlice(lines) {
      linesPerSlice = linesPerSlice * (1 - NEWEST_SLICE) + lines * NEWEST_SLICE;
    },
    wantedSlices() {
      const lines = (1 + UNSENT_PER_PERMIT) * deps.permits() + deps.unrecorded();
      return Math.max(MIN_SLICES, Math.min(MAX_SLICES, Math.ceil(lines / Math.max(1, linesPerSlice)) + 1));
    },
  };
}
