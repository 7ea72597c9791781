/**
 * Frees slices that the ledger says this worker owns, but that it does not run. This happens when the connection breaks
 * after a claim is committed and before the reply arrives: the repeated job finds the slice taken. Without this, such a
 * slice would wait until the worker ends.
 */
import { freeSlices, ownedSlices, type Db } from "@nightshift/db";
import type { Logger } from "@nightshift/service";
import { nameOfSlice, type SliceClaims } from "../steps/claim/slice-claims.ts";

export interface LostClaims {
  /** Frees the slices that both this look and the previous look found idle. Returns the number of freed slices. */
  look(): Promise<number>;
}

export interface LostClaimsDeps {
  readonly db: Db;
  readonly claims: Pick<SliceClaims, "isHeld">;
  readonly workerId: () => string;
  readonly logger: Logger;
}

/** Looks must be seconds apart, so that the reply to a claim arrives between two looks. */
export function createLostClaims({ db, claims, workerId, logger }: LostClaimsDeps): LostClaims {
  let suspects = new Set<string>();
  return {
    async look() {
      const worker = workerId();
      const idle = (await ownedSlices(db, worker)).filter((slice) => !claims.isHeld(slice));
      const lost = idle.filter((slice) => suspects.has(nameOfSlice(slice)));
      suspects = new Set(idle.map(nameOfSlice));
      if (lost.length === 0) return 0;
      logger.warn({ slices: lost.length }, "this worker owns slices that it does not run; they go back to the ledger");
      return freeSlices(db, worker, lost);
    },
  };
}
