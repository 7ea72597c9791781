/** What is decided by counting a tenant's things is decided by one at a time. */
import type { Tx } from "../pool.ts";

/**
 * Holds the tenant's row until the transaction ends. Rows that refer to the tenant may be inserted meanwhile; whoever counts
 * them takes this lock first. In the lock order it comes before `batch_progress`.
 */
export async function lockTenant(tx: Tx, tenant: string): Promise<void> {
  await tx.query("/* tenants.lock */ select 1 from tenants where id = $1 for no key update", [tenant]);
}
