/**
 * The request credits of a lease. Credits that the worker cannot use lapse, because saved credits would cause a burst.
 */
import type { Cost } from "./cost.ts";

export interface LeaseCredits {
  cover(cost: Cost): boolean;
  spend(cost: Cost): void;
  /** Drops the credits that `unsent` cannot use. */
  lapse(unsent: Cost): void;
  /** Returns how many more credits to ask for. */
  wanted(unsent: Cost, permits: number): number;
  /** True if the last lease brought fewer credits than there were lines, and lines still wait. */
  hasWaited(unsent: Cost): boolean;
  /** Adds the credits of a new lease; null means that the upstream has no rate limit. */
  add(granted: number | null, unsent: Cost): void;
  drop(): void;
}

/** The number of credits that a worker asks for before it knows how many permits it gets. */
const FIRST_CREDITS = 64;

export function createLeaseCredits(): LeaseCredits {
  /** Null if the upstream has no rate limit. */
  let left: number | null = 0;
  let wasShort = false;
  return {
    cover: (cost) => left === null || left >= cost.requests,
    spend(cost) {
      if (left !== null) left -= cost.requests;
    },
    lapse(unsent) {
      if (left !== null) left = Math.min(left, unsent.requests);
    },
    wanted: (unsent, permits) => Math.min(unsent.requests, permits > 0 ? permits : FIRST_CREDITS) - (left ?? 0),
    hasWaited: (unsent) => wasShort && unsent.requests > 0,
    add(granted, unsent) {
      // The old credits still count: some may have been spent since the lease was requested.
      left = granted === null ? null : granted + (left ?? 0);
      wasShort = left !== null && left < unsent.requests;
    },
    drop() {
      if (left !== null) left = 0;
    },
  };
}
