/** Reads one batch. */
import type { Queryable } from "../pool.ts";
import { SELECT_BATCH, toBatchView, type BatchRow, type BatchView } from "./batch-view.ts";

/** Null where the tenant has no such batch, whether or not another tenant has. */
export async function findBatch(db: Queryable, tenant: string, id: string): Promise<BatchView | null> {
  const { rows } = await db.query<BatchRow>(`/* batches.find */ ${SELECT_BATCH} where b.tenant = $1 and b.id = $2`, [
    tenant,
    id,
  ]);
  return rows[0] ? toBatchView(rows[0]) : null;
}

/** The batch with that number, of whichever tenant: for workers. */
export async function getBatch(db: Queryable, number: number): Promise<BatchView | null> {
  const { rows } = await db.query<BatchRow>(`/* batches.get */ ${SELECT_BATCH} where b.batch_no = $1`, [number]);
  return rows[0] ? toBatchView(rows[0]) : null;
}

/** The number of the batch with that id, of whichever tenant: for admins. Null where there is none. */
export async function numberOfBatch(db: Queryable, id: string): Promise<number | null> {
  const { rows } = await db.query<{ batchNo: number }>(
    `/* batches.number */ select batch_no as "batchNo" from batches where id = $1`,
    [id],
  );
  return rows[0]?.batchNo ?? null;
}
