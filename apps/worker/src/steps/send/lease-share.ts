/** This worker's share of an upstream's permits: how many it holds, uses and asks for. */
import type { Cost } from "./cost.ts";

/** What a lane has in hand that is not sent. */
export interface LaneLoad {
  /** What it would take to send all unsent lines. */
  readonly unsent: Cost;
  /** Slices that wait for room or are being claimed. */
  readonly waitingSlices: number;
}

export interface LeaseShare {
  permits(): number;
  hasRoomFor(cost: Cost): boolean;
  take(cost: Cost): void;
  release(cost: Cost): void;
  /** Tells the share what is in hand now. */
  noteLoad(load: LaneLoad): void;
  /** True if there were lines in hand within the last second. */
  isInNeed(): boolean;
  /** True while there is something to lease, or something to give back. */
  hasToRenew(load: LaneLoad): boolean;
  /** Permits to ask for while the worker is in need. */
  wanted(load: LaneLoad): number;
  /** Slots that may be in use before the answer to the next lease is read. */
  ceiling(): number;
  /** `held` is what Postgres counts against other workers. It may be more than `permits` until the next lease. */
  set(permits: number, held: number): void;
  /** Uses no more permits; the next lease gives them back. */
  stopUsing(): void;
}

/** A worker between two slices still needs its permits: without this they would come and go with every gap. */
const NEED_MS = 1_000;
/** More than any upstream has. It asks for as many permits as there are. */
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
