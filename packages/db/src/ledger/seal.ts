/** The one point of no return: after the seal no result of a batch is recorded any more, and its files can be assembled. */
import type { Db, Tx } from "../pool.ts";
import { moveBatch } from "../batches/move-batch.ts";
import { withTx } from "../tx.ts";
import type { BatchStatus } from "@nightshift/domain";

export type SealReason = "done" | "expired" | "cancelled";

/**
 * Seals a batch, within the caller's transaction; false where it is sealed already, or in no state to be. Separate
 * statements in the lock order: one CTE would work on a snapshot and leave rows behind. From `cancelling` every seal
 * counts as a cancel. Lines without a result count as failed.
 */
export async function sealBatch(tx: Tx, batch: number, reason: SealReason, now: Date): Promise<boolean> {
  const { rows: unsealed } = await tx.query<{ mends: number }>(
    "/* ledger.seal_lock */ select mends from batch_progress where batch = $1 and sealed_at is null for no key update",
    [batch],
  );
  if (unsealed[0] === undefined) return false;
  if (reason !== "cancelled") await moveBatch(tx, batch, { to: "finalizing" }, now);
  const status = await statusOf(tx, batch);
  if (status !== "finalizing" && status !== "cancelling") return false;
  await tx.query("/* ledger.seal_slices */ select 1 from slices where batch = $1 order by slice_no for no key update", [
    batch,
  ]);
  await tx.query("/* ledger.seal_delete */ delete from slices where batch = $1", [batch]);
  if (unsealed[0].mends > 0) {
    await tx.query("/* ledger.seal_mends */ update mends set state = 'failed' where batch = $1 and state = 'open'", [
      batch,
    ]);
  }
  await tx.query(
    `/* ledger.seal */
    update batch_progress p set sealed_at = $2, sealed_as = $3, seq = p.seq + 1,
      failed = (select total from batches where number = $1) - p.completed
    where p.batch = $1`,
    [batch, now, status === "cancelling" ? "cancelled" : reason],
  );
  return true;
}

/** Seals a batch whose completion window has ended; what is in flight is discarded when it comes back. */
export async function sealExpired(db: Db, batch: number, now: Date): Promise<boolean> {
  return withTx(db, (tx) => sealBatch(tx, batch, "expired", now));
}

/** Seals a cancelling batch once no worker owns a slice of it, or at once when `force` is set (the grace has passed). */
export async function sealCancelled(db: Db, batch: number, force: boolean, now: Date): Promise<boolean> {
  return withTx(db, async (tx) => {
    await tx.query("/* ledger.cancel_lock */ select 1 from batch_progress where batch = $1 for no key update", [batch]);
    const { rows } = await tx.query(
      "/* ledger.cancel_owned */ select owner from slices where batch = $1 order by slice_no for no key update",
      [batch],
    );
    const isOwned = rows.some((row: { owner: string | null }) => row.owner !== null);
    if (isOwned && !force) return false;
    return sealBatch(tx, batch, "cancelled", now);
  });
}

async function statusOf(tx: Tx, batch: number): Promise<BatchStatus | undefined> {
  const { rows } = await tx.query<{ status: BatchStatus }>(
    "/* ledger.status */ select status from batches where number = $1",
    [batch],
  );
  return rows[0]?.status;
}
