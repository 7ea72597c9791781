/**
 * The states of a batch (contract §3.2), and which may follow which.
 *
 * | state       | who enters it                   | what is true in it                                        |
 * | ----------- | ------------------------------- | --------------------------------------------------------- |
 * | validating  | create                          | the row exists; no line was looked at, or not to the end  |
 * | failed      | validation                      | `errors` is set; nothing was sent                         |
 * | in_progress | validation                      | every line is in one of the ledger's three places         |
 * | finalizing  | the seal (all done, or expired) | no slice is left; the result files are being assembled    |
 * | cancelling  | cancel                          | nothing new is sent; sealed once what is in flight is in   |
 * | completed, expired, cancelled | assembly      | files and counts are final                                |
 */
export const BATCH_STATUSES = [
  "validating",
  "failed",
  "in_progress",
  "finalizing",
  "completed",
  "expired",
  "cancelling",
  "cancelled",
] as const;

export type BatchStatus = (typeof BATCH_STATUSES)[number];

const MOVES: Readonly<Record<BatchStatus, readonly BatchStatus[]>> = {
  validating: ["failed", "in_progress", "cancelling", "expired"],
  in_progress: ["finalizing", "cancelling"],
  finalizing: ["completed", "expired"],
  cancelling: ["cancelled"],
  failed: [],
  completed: [],
  expired: [],
  cancelled: [],
};

/** True where a batch may go from the one state to the other in one step. */
export function canMove(from: BatchStatus, to: BatchStatus): boolean {
  return MOVES[from].includes(to);
}

/** True where nothing follows: the batch's files and counts do not change any more (retries aside). */
export function isFinal(status: BatchStatus): boolean {
  return MOVES[status].length === 0;
}

/** The states from which `to` may be entered. */
export function sourcesOf(to: BatchStatus): BatchStatus[] {
  return BATCH_STATUSES.filter((from) => canMove(from, to));
}
