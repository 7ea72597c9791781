/** Cancels a batch when its tenant requests it: contract §3.3. */
import type { Db } from "../pool.ts";
import { withTx } from "../tx.ts";
import { findBatch, type BatchView } from "./batch-view.ts";
import { moveBatch } from "./move-batch.ts";

export interface CancelOutcome {
  batch: BatchView;
  /** `final` means that the batch has finished, or is sealed and about to finish. It was not changed. */
  outcome: "cancelling" | "final";
}

/**
 * Moves the batch to `cancelling`. A repeated cancel is not an error. Returns null if the tenant does not have this
 * batch.
 */
export async function requestCancel(db: Db, tenant: string, id: string, now: Date): Promise<CancelOutcome | null> {
  return withTx(db, async (tx) => {
    const found = await findBatch(tx, tenant, id);
    if (found === null) return null;
    // batch_progress comes first in the lock order. The lock also waits for a flush that may seal the batch.
    await tx.query("/* batches.cancel_lock */ select 1 from batch_progress where batch_no = $1 for no key update", [
      found.batchNo,
    ]);
    await moveBatch(tx, found.batchNo, { to: "cancelling" }, now);
    const batch = (await findBatch(tx, tenant, id)) ?? found;
    const isCancel = batch.status === "cancelling" || batch.status === "cancelled";
    return { batch, outcome: isCancel ? "cancelling" : "final" };
  });
}
