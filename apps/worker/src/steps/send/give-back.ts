/**
 * Takes unsent lines out of a lane: returns them to the ledger, where other workers find them, or only drops them here.
 */
import type { Recorder } from "../record/recorder.ts";
import type { LineTask } from "./line-task.ts";
import type { LinesInHand } from "./lines-in-hand.ts";
import type { UnsentLine, UnsentLines } from "./unsent-lines.ts";
import type { UpstreamLease } from "./upstream-lease.ts";

export interface GiveBack {
  /**
   * Returns all unsent lines, or the lines that `matches` picks, to the ledger. They can be claimed after `delayMs`.
   */
  toLedger(delayMs: number, matches?: (task: LineTask) => boolean): void;
  /** Returns all unsent lines if this worker has had no permit for 3 s. Call it every 100 ms or so. */
  ifStarved(inFlight: number): void;
  /** Drops unsent lines without telling the ledger. */
  drop(): void;
}

export interface GiveBackDeps {
  readonly unsent: UnsentLines;
  readonly inHand: LinesInHand;
  readonly recorder: Pick<Recorder, "giveBack">;
  readonly lease: Pick<UpstreamLease, "permits" | "pausedMs">;
}

/** If there are more workers than permits, some workers have no permit. Their lines wait no longer than this. */
const STARVED_MS = 3_000;

const everyLine = (): boolean => true;

export function createGiveBack({ unsent, inHand, recorder, lease }: GiveBackDeps): GiveBack {
  let starvedSince: number | null = null;

  const removeUnsent = (matches: (task: LineTask) => boolean): UnsentLine[] => {
    const removed = unsent.remove(matches);
    for (const { task } of removed) inHand.remove(task.slice.batchNo);
    return removed;
  };

  const toLedger: GiveBack["toLedger"] = (delayMs, matches = everyLine) => {
    for (const { task, settle } of removeUnsent(matches)) {
      void recorder.giveBack({ task, hasBurnedAttempt: false, delayMs }).then(settle);
    }
  };

  return {
    toLedger,
    ifStarved(inFlight) {
      if (lease.permits() > 0 || inFlight > 0 || unsent.count() === 0 || lease.pausedMs() > 0) starvedSince = null;
      else starvedSince ??= performance.now();
      if (starvedSince === null || performance.now() - starvedSince < STARVED_MS) return;
      starvedSince = null;
      toLedger(STARVED_MS);
    },
    drop() {
      for (const { settle } of removeUnsent(everyLine)) settle();
    },
  };
}
