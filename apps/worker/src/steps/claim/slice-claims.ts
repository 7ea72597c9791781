/** Claims of slices that come in one turn of the event loop, put to the ledger together. */
import { claimSlices, type ClaimedSlice, type Db, type SliceRef } from "@nightshift/db";
import type { Clock } from "../../deps.ts";

export interface SliceClaims {
  /** Null where the job is stale. Rejects where Postgres could not be asked: the queue repeats the job. */
  claim(slice: SliceRef): Promise<ClaimedSlice | null>;
  /** Whoever had claimed the slice is done with it. */
  letGo(slice: SliceRef): void;
  /** True from the claim's answer on until the slice is let go. */
  isHeld(slice: SliceRef): boolean;
}

interface WaitingClaim {
  readonly slice: SliceRef;
  readonly resolve: (claimed: ClaimedSlice | null) => void;
  readonly reject: (error: unknown) => void;
}

/** With its `gen`: a slice that was freed has a stale job beside its own, and both may come in one turn. */
export const nameOfSlice = ({ sliceNo, gen }: SliceRef): string => `${String(sliceNo)}-${String(gen)}`;

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
        // Each goes to one job, also where the queue delivered the same job twice in this turn.
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
    letGo(slice) {
      held.delete(nameOfSlice(slice));
    },
    isHeld: (slice) => held.has(nameOfSlice(slice)),
  };
}
