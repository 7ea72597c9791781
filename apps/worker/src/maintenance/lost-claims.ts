/**
 * Finds slices that the ledger says are this worker's and that nobody here runs: the connection broke after the claim had been made
 * and before its answer came, and the job that is repeated then finds the slice taken. They would wait until this worker ends.
 */
import { freeSlices, ownedSlices, type Db } from "@nightshift/db";
import type { Logger } from "@nightshift/service";
import { nameOfSlice, type SliceClaims } from "../steps/claim/slice-claims.ts";

export interface LostClaims {
  /** Looks once; what was found twice in a row is freed. Returns how many slices became free. */
  look(): Promise<number>;
}

export interface LostClaimsDeps {
  readonly db: Db;
  readonly claims: Pick<SliceClaims, "isHeld">;
  readonly workerId: () => string;
  readonly logger: Logger;
}

/** Looks have to be some seconds apart, so that the answer to a claim is not overtaken by two of them. */
export function createLostClaims({ db, claims, workerId, logger }: LostClaimsDeps): LostClaims {
  let suspects = new Set<string>();
  return {
    async look() {
      const worker = workerId();
      const idle = (await ownedSlices(db, worker)).filter((slice) => !claims.isHeld(slice));
      const lost = idle.filter((slice) => suspects.has(nameOfSlice(slice)));
      suspects = new Set(idle.map(nameOfSlice));
      if (lost.length === 0) return 0;
      logger.warn({ slices: lost.length }, "slices were claimed, and nobody runs them; they go back");
      return freeSlices(db, worker, lost);
    },
  };
}
