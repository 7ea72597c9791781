/** Seals batches. After the seal no more results are recorded, and the batch's files can be assembled. */
import type { BatchStatus } from "@nightshift/domain";
import { moveBatch } from "../batches/move-batch.ts";
import type { Db, Tx } from "../pool.ts";
import { withTx } from "../tx.ts";

export type SealReason = "done" | "expired" | "cancelled";

/**
 * Seals a batch within the caller's transaction. Returns false if the batch is already sealed, or if its status does
 * not allow a seal. Runs separate statements in the lock order, because a single CTE would work on a snapshot and leave
 * rows behind. A batch in `cancelling` is always sealed as cancelled. Lines without a result count as failed.
 */
export async function sealBatch(tx: Tx, batchNo: number, reason: SealReason, now: Date): Promise<boolean> {
  const { rows: unsealed } = await tx.query<{ retryCount: number }>(
    `/* ledger.seal_lock */
    select retry_count as "retryCount" from batch_progress
    where batch_no = $1 and sealed_at is null for no key update`,
    [batchNo],
  );
  if (unsealed[0] === undefined) return false;
  if (reason !== "cancelled") await moveBatch(tx, batchNo, { to: "finalizing" }, now);
  const status = await statusOf(tx, batchNo);
  if (status !== "finalizing" && status !== "cancelling") return false;
  await tx.query(
    "/* ledger.seal_slices */ select 1 from slices where batch_no = $1 order by slice_no for no key update",
    [batchNo],
  );
  await tx.query("/* ledger.seal_delete */ delete from slices where batch_no = $1", [batchNo]);
  if (unsealed[0].retryCount > 0) {
    await tx.query(
      "/* ledger.seal_retries */ update retries set state = 'failed' where batch_no = $1 and state = 'open'",
      [batchNo],
    );
  }
  await tx.query(
    `/* ledger.seal */
    update batch_progress p set sealed_at = $2, sealed_as = $3, seq = p.seq + 1,
      failed = (select total from batches where batch_no = $1) - p.completed
    where p.batch_no = $1`,
    [batchNo, now, status === "cancelling" ? "cancelled" : reason],
  );
  return true;
}

/** Seals a batch whose completion window has ended. Results of requests in flight are discarded when they arrive. */
export async function sealExpired(db: Db, batchNo: number, now: Date): Promise<boolean> {
  return withTx(db, (tx) => sealBatch(tx, batchNo, "expired", now));
}

/**
 * Seals a cancelling batch once no worker owns one of its slices. With `force`, which is used after the grace period,
 * seals the batch anyway.
 */
export async function sealCancelled(db: Db, batchNo: number, force: boolean, now: Date): Promise<boolean> {
  return withTx(db, async (tx) => {
    await tx.query("/* ledger.cancel_lock */ select 1 from batch_progress where batch_no = $1 for no key update", [
      batchNo,
    ]);
    const { rows } = await tx.query(
      "/* ledger.cancel_owned */ select owner from slices where batch_no = $1 order by slice_no for no key update",
      [batchNo],
    );
    const isOwned = rows.some((row: { owner: string | null }) => row.owner !== null);
    if (isOwned && !force) return false;
    return sealBatch(tx, batchNo, "cancelled", now);
  });
}

async function statusOf(tx: Tx, batchNo: number): Promise<BatchStatus | undefined> {
  const { rows } = await tx.query<{ status: BatchStatus }>(
    "/* ledger.status */ select status from batches where batch_no = $1",
    [batchNo],
  );
  return rows[0]?.status;
}
