/**
 * Limits how many batches of a tenant run at once. A batch runs from its admission, which comes before validation,
 * until its status is final. Before that it waits in `validating`, where it can be cancelled and can expire.
 */
import type { Db, Queryable } from "../pool.ts";
import { lockTenant } from "../tenants/tenants.ts";
import { withTx } from "../tx.ts";

const UNFINISHED = "status in ('validating', 'in_progress', 'finalizing', 'cancelling')";
/** Batches that were validated without an admission count as running too. */
const IS_RUNNING = `${UNFINISHED} and (admitted_at is not null or in_progress_at is not null)`;
const IS_WAITING = "status = 'validating' and admitted_at is null";

/**
 * Admits the tenant's oldest waiting batches until `limit` batches run, and marks the other waiting batches as queued.
 * Null means no limit. Returns the numbers of the batches that it admitted. Holds the tenant's row lock, so concurrent
 * calls cannot exceed the limit.
 */
export async function admitBatches(db: Db, tenant: string, limit: number | null, now: Date): Promise<number[]> {
  return withTx(db, async (tx) => {
    await lockTenant(tx, tenant);
    const room = limit === null ? null : Math.max(0, limit - (await countRunning(tx, tenant)));
    // Select and update are separate statements. In a single update, Postgres may run the subquery with LIMIT once for
    // each row, and admit too many batches.
    const { rows: next } = await tx.query<{ batchNo: number }>(
      `/* batches.next_waiting */
      select batch_no as "batchNo" from batches where tenant = $1 and ${IS_WAITING}
      order by batch_no limit $2 for no key update`,
      [tenant, room],
    );
    const admitted = next.map((row) => row.batchNo).sort((a, b) => a - b);
    await tx.query(
      `/* batches.admit */
      update batches set admitted_at = greatest($2::timestamptz, created_at) where batch_no = any($1)`,
      [admitted, now],
    );
    await tx.query(
      `/* batches.queue */
      update batches set queued_at = greatest($2::timestamptz, created_at)
      where tenant = $1 and ${IS_WAITING} and queued_at is null`,
      [tenant, now],
    );
    return admitted;
  });
}

/** Returns up to `limit` tenants with queued batches. */
export async function waitingTenants(db: Queryable, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ tenant: string }>(
    `/* batches.waiting_tenants */
    select distinct tenant from batches where ${IS_WAITING} and queued_at is not null order by tenant limit $1`,
    [limit],
  );
  return rows.map((row) => row.tenant);
}

/** Returns how many batches of the tenant have no final status, whether they wait or run. */
export async function countUnfinished(db: Queryable, tenant: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `/* batches.count_unfinished */ select count(*) as count from batches where tenant = $1 and ${UNFINISHED}`,
    [tenant],
  );
  return rows[0]?.count ?? 0;
}

async function countRunning(db: Queryable, tenant: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `/* batches.count_running */ select count(*) as count from batches where tenant = $1 and ${IS_RUNNING}`,
    [tenant],
  );
  return rows[0]?.count ?? 0;
}
