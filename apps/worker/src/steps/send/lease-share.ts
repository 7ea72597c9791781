/** This worker's share of an upstream's permits: how many it holds, uses and asks for. */
import type { Cost } from "./cost.ts";

/** The work that a lane has in hand and has not sent. */
export interface LaneLoad {
  /** The cost of sending all unsent lines. */
  readonly unsent: Cost;
  /** The number of slices that wait for room or are being claimed. */
  readonly waitingSlices: number;
}

export interface LeaseShare {
  permits(): number;
  hasRoomFor(cost: Cost): boolean;
  take(cost: Cost): void;
  release(cost: Cost): void;
  /** Notes the work that is in hand now. */
  noteLoad(load: LaneLoad): void;
  /** True if there were lines in hand within the last second. */
  isInNeed(): boolean;
  /** True while there is something to lease or to give back. */
  hasToRenew(load: LaneLoad): boolean;
  /** Returns the number of permits to ask for while the worker is in need. */
  wanted(load: LaneLoad): number;
  /** The maximum number of slots that may be in use before the reply to the next lease is read. */
  ceiling(): number;
  /**
   * `held` is the number of permits that Postgres counts for this worker. It may exceed `permits` until the next lease.
   */
  set(permits: number, held: number): void;
  /** Stops using the permits. The next lease gives them back. */
  stopUsing(): void;
}

/** A worker between two slices keeps its permits for this long. Otherwise it would lose them in every gap. */
const NEED_MS = 1_000;
/** More permits than any upstream has. A worker that wants all available permits asks for this number. */
const ALL_PERMITS = 1_000_000;

export function createLeaseShare(): LeaseShare {
  let permits = 0;
  let held = 0;
  let slotsInUse = 0;
  let neededAt = -Infinity;

  const hasWork = (load: LaneLoad): boolean => load.unsent.slots + load.waitingSlices + slotsInUse > 0;

  return {
    permits: () => permits,
    hasRoomFor: (cost) => slotsInUse + cost.slots <= permits,
    take(cost) {
      slotsInUse += cost.slots;
    },
    release(cost) {
      slotsInUse -= cost.slots;
    },
    noteLoad(load) {
      if (hasWork(load)) neededAt = performance.now();
    },
    isInNeed: () => performance.now() - neededAt < NEED_MS,
    hasToRenew: (load) => hasWork(load) || permits > 0 || held > 0,
    wanted(load) {
      // A worker whose lines are all in flight leaves the rest of its share to workers that have more lines.
      return load.unsent.slots + load.waitingSlices > 0 ? ALL_PERMITS : Math.max(1, slotsInUse);
    },
    ceiling: () => Math.max(slotsInUse, permits),
    set(nextPermits, nextHeld) {
      permits = nextPermits;
      held = nextHeld;
    },
    stopUsing() {
      permits = 0;
    },
  };
}
