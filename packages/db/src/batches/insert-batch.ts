/** Writes a new batch, in the state validating. */
import { DAY_MS } from "@nightshift/domain";
import type { Db, Tx } from "../pool.ts";
import { lockTenant } from "../tenants/lock-tenant.ts";
import { withTx } from "../tx.ts";
import { countUnfinished } from "./admit-batches.ts";
import type { BatchView } from "./batch-view.ts";
import { findBatch } from "./find-batch.ts";

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
  /** The x-request-id of the request that asks for it. */
  requestId?: string;
  /** Most batches of the tenant that may be unfinished, this one among them; null or left out: any number. */
  maxUnfinished?: number | null;
}

/** The tenant has as many unfinished batches as it may. */
export class BatchQueueFullError extends Error {
  override readonly name = "BatchQueueFullError";
}

/**
 * Inserts the batch and its progress row. The batch is a wish from here on: a lost enqueue is found by the reconciler.
 * Throws BatchQueueFullError, decided under the tenant's row lock, where there would be more than `maxUnfinished`. `first`
 * runs before, in the same transaction; where it throws, there is no batch.
 */
export async function insertBatch(db: Db, batch: NewBatch, first?: (tx: Tx) => Promise<void>): Promise<BatchView> {
  await withTx(db, async (tx) => {
    await first?.(tx);
    await refuseIfFull(tx, batch);
    const { rows } = await tx.query<{ batchNo: number }>(
      `/* batches.create */
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
    await tx.query("/* batches.create_progress */ insert into batch_progress (batch_no) values ($1)", [
      rows[0]?.batchNo,
    ]);
  });
  const view = await findBatch(db, batch.tenant, batch.id);
  if (view === null) throw new Error(`batch ${batch.id} is gone right after it was created`);
  return view;
}

async function refuseIfFull(tx: Tx, { tenant, maxUnfinished = null }: NewBatch): Promise<void> {
  if (maxUnfinished === null) return;
  await lockTenant(tx, tenant);
  if ((await countUnfinished(tx, tenant)) >= maxUnfinished) throw new BatchQueueFullError();
}
