/** Claims slices in the ledger. Claims of one turn of the event loop go into one statement. */
import { claimSlices, type ClaimedSlice, type Db, type SliceRef } from "@nightshift/db";
import type { Clock } from "../../deps.ts";

export interface SliceClaims {
  /** Resolves with null if the job is stale. Rejects if Postgres is unavailable. The queue then repeats the job. */
  claim(slice: SliceRef): Promise<ClaimedSlice | null>;
  /** Ends the hold on a slice that is finished here. */
  release(slice: SliceRef): void;
  /** True from the successful claim to the release. */
  isHeld(slice: SliceRef): boolean;
}

interface WaitingClaim {
  readonly slice: SliceRef;
  readonly resolve: (claimed: ClaimedSlice | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Returns a name that contains `gen`: a freed slice has a new job and a stale one, and both may arrive in the same
 * turn.
 */
export function nameOfSlice({ sliceNo, gen }: SliceRef): string {
  return `${String(sliceNo)}-${String(gen)}`;
}

export function createSliceClaims(deps: {
  readonly db: Db;
  readonly workerId: () => string;
  readonly clock: Clock;
}): SliceClaims {
  let waiting: WaitingClaim[] = [];
  const held = new Set<string>();

  const claimAll = async (): Promise<void> => {
    const claims = waiting;
    waiting = [];
    try {
      const refs = claims.map(({ slice }) => slice);
      const claimed = await claimSlices(deps.db, deps.workerId(), refs, deps.clock());
      const mine = new Map(claimed.map((slice) => [nameOfSlice(slice), slice]));
      for (const name of mine.keys()) held.add(name);
      for (const { slice, resolve } of claims) {
        resolve(mine.get(nameOfSlice(slice)) ?? null);
        // A slice goes to one job only, even if the queue delivered the same job twice in this turn.
        mine.delete(nameOfSlice(slice));
      }
    } catch (error) {
      for (const { reject } of claims) reject(error);
    }
  };

  return {
    claim(slice) {
      if (waiting.length === 0) setImmediate(() => void claimAll());
      return new Promise((resolve, reject) => {
        waiting.push({ slice, resolve, reject });
      });
    },
    release(slice) {
      held.delete(nameOfSlice(slice));
    },
    isHeld: (slice) => held.has(nameOfSlice(slice)),
  };
}
