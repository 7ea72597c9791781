/** What POST /v1/batches/{id}/cancel writes: contract §3.3. */
import type { Db } from "../pool.ts";
import { withTx } from "../tx.ts";
import type { BatchView } from "./batch-view.ts";
import { findBatch } from "./find-batch.ts";
import { moveBatch } from "./move-batch.ts";

export interface CancelOutcome {
  batch: BatchView;
  /** `final`: finished otherwise, or sealed and about to be; the batch is as it was. */
  outcome: "cancelling" | "final";
}

/** Moves the batch to cancelling; asking again for one that is cancelling or cancelled is no error. Null: no such batch. */
export async function requestCancel(db: Db, tenant: string, id: string, now: Date): Promise<CancelOutcome | null> {
  return withTx(db, async (tx) => {
    const found = await findBatch(tx, tenant, id);
    if (found === null) return null;
    // The lock order is batch_progress first; it also makes this wait for a flush that may seal the batch.
    await tx.query("/* batches.cancel_lock */ select 1 from batch_progress where batch_no = $1 for no key update", [
      found.batchNo,
    ]);
    await moveBatch(tx, found.batchNo, { to: "cancelling" }, now);
    const batch = (await findBatch(tx, tenant, id)) ?? found;
    const isCancel = batch.status === "cancelling" || batch.status === "cancelled";
    return { batch, outcome: isCancel ? "cancelling" : "final" };
  });
}
