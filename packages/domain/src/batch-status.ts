/**
 * The states of a batch (contract §3.2) and the moves between them.
 *
 * | state                         | entered by                      | what is true in it                                      |
 * | ----------------------------- | ------------------------------- | ------------------------------------------------------- |
 * | validating                    | create                          | the row exists; validation has not finished             |
 * | failed                        | validation                      | `errors` is set; nothing was sent                       |
 * | in_progress                   | validation                      | every line is in one of the ledger's three places       |
 * | finalizing                    | the seal (all done, or expired) | no slice is left; the result files are being assembled  |
 * | cancelling                    | cancel                          | nothing new is sent; the seal waits for lines in flight |
 * | completed, expired, cancelled | assembly                        | files and counts are final                              |
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

/** Reports whether a batch may move from one state to the other in one step. */
export function canMove(from: BatchStatus, to: BatchStatus): boolean {
  return MOVES[from].includes(to);
}

/** Reports whether a state is final. The files and counts of a final batch change only through retries. */
export function isFinal(status: BatchStatus): boolean {
  return MOVES[status].length === 0;
}

/** Returns the states from which a batch may enter `to`. */
export function sourcesOf(to: BatchStatus): BatchStatus[] {
  return BATCH_STATUSES.filter((from) => canMove(from, to));
}
