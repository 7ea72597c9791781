/** The lines that the recorder accepts: finished lines, which have a result, and returned lines, which have none. */
import type { ClaimedSlice } from "@nightshift/db";
import type { ResultKind, ResultLine, TokenUsage } from "@nightshift/domain";

/** A line of a claimed slice, and its place in the input. */
export interface LinePlace {
  readonly slice: ClaimedSlice;
  /** The line's number in the batch, from 0. */
  readonly line: number;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** The outcome of a line that needs no further attempt. */
export interface DoneOutcome {
  readonly kind: "done";
  readonly resultKind: ResultKind;
  readonly line: ResultLine;
  readonly usage: TokenUsage | null;
  /** Why the line has no attempt left. Null if the line succeeded, or if another attempt would get the same answer. */
  readonly exhaustedBy: string | null;
}

/** A line with a result that is not durable yet. */
export interface FinishedLine {
  readonly task: LinePlace;
  readonly outcome: DoneOutcome;
}

/** A line whose result is durable. Its bytes are no longer kept in memory. */
export interface WrittenLine {
  readonly task: LinePlace;
  readonly outcome: Omit<DoneOutcome, "line">;
}

/** A line that goes back to the ledger without a result, to be claimed again after `delayMs`. */
export interface ReturnedLine {
  readonly task: LinePlace;
  readonly hasBurnedAttempt: boolean;
  readonly delayMs: number;
}
