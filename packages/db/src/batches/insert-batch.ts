/** Inserts batches. */
import { DAY_MS } from "@nightshift/domain";
import type { Db, Tx } from "../pool.ts";
import { lockTenant } from "../tenants/tenants.ts";
import { withTx } from "../tx.ts";
import { countUnfinished } from "./admit-batches.ts";
import { findBatch, type BatchView } from "./batch-view.ts";

export interface NewBatch extends Pick<
  BatchView,
  | "id"
  | "tenant"
  | "endpoint"
  | "completionWindow"
  | "inputFileId"
  | "metadata"
  | "outputExpiresAfterSeconds"
  | "createdAt"
  | "deadline"
> {
  /** The x-request-id of the request that creates the batch. */
  requestId?: string;
  /**
   * The maximum number of unfinished batches of the tenant, including this one. Null or omitted if there is no limit.
   */
  maxUnfinished?: number | null;
}

/** Thrown if the tenant is at its limit of unfinished batches. */
export class BatchQueueFullError extends Error {
  override readonly name = "BatchQueueFullError";
}

/**
 * Inserts the batch, in `validating`, and its progress row. If the job that should follow is lost, the reconciler finds
 * the batch. Throws BatchQueueFullError if the tenant would have more than `maxUnfinished` batches, which is checked
 * under the tenant's row lock. `first` runs before the insert, in the same transaction. If `first` throws, no batch is
 * created.
 */
export async function insertBatch(db: Db, batch: NewBatch, first?: (tx: Tx) => Promise<void>): Promise<BatchView> {
  await withTx(db, async (tx) => {
    await first?.(tx);
    await refuseIfFull(tx, batch);
    const { rows } = await tx.query<{ batchNo: number }>(
      `/* batches.insert */
      insert into batches (id, tenant, endpoint, completion_window, input_file_id, metadata, output_expires_after_seconds,
        created_at, deadline, day, request_id)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning batch_no as "batchNo"`,
      [
        batch.id,
        batch.tenant,
        batch.endpoint,
        batch.completionWindow,
        batch.inputFileId,
        batch.metadata === null ? null : JSON.stringify(batch.metadata),
        batch.outputExpiresAfterSeconds,
        batch.createdAt,
        batch.deadline,
        Math.floor(batch.createdAt.getTime() / DAY_MS),
        batch.requestId ?? null,
      ],
    );
    await tx.query("/* batches.insert_progress */ insert into batch_progress (batch_no) values ($1)", [
      rows[0]?.batchNo,
    ]);
  });
  const view = await findBatch(db, batch.tenant, batch.id);
  if (view === null) throw new Error(`batch ${batch.id} was deleted right after it was created`);
  return view;
}

async function refuseIfFull(tx: Tx, { tenant, maxUnfinished = null }: NewBatch): Promise<void> {
  if (maxUnfinished === null) return;
  await lockTenant(tx, tenant);
  if ((await countUnfinished(tx, tenant)) >= maxUnfinished) throw new BatchQueueFullError();
}
