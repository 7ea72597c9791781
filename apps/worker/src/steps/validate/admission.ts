/** Decides which batches of a tenant may begin, by the limit `concurrent_batches` of its tier. */
import { admitBatches, findTenant, waitingTenants, type BatchView } from "@nightshift/db";
import type { TierLimits } from "@nightshift/domain";
import type { WorkerDeps } from "../../deps.ts";

export type AdmissionDeps = Pick<WorkerDeps, "db" | "queues" | "tiers" | "clock">;

/** The maximum number of tenants per run of the reconciler. */
const MAX_TENANTS = 500;

/** Returns the current limits of a tenant. Needs no query if no tier has a limit. */
export async function limitsOf({ db, tiers }: Pick<WorkerDeps, "db" | "tiers">, tenant: string): Promise<TierLimits> {
  return tiers.limitsOf(tiers.isUnlimited ? null : ((await findTenant(db, tenant))?.tier ?? null));
}

/**
 * Decides whether a batch may begin. If the batch is not admitted yet, this call admits the oldest waiting batches of
 * the tenant for which its tier has room. If the batch is one of these, the answer is "look again", and the caller
 * reads the batch again.
 */
export async function askAdmission(deps: AdmissionDeps, batch: BatchView): Promise<"begin" | "look again" | "wait"> {
  if (batch.admittedAt !== null) return "begin";
  const { concurrentBatches } = await limitsOf(deps, batch.tenant);
  if (concurrentBatches === null) return "begin";
  const admitted = await admitBatches(deps.db, batch.tenant, concurrentBatches, deps.clock());
  await enqueueBatches(
    deps,
    admitted.filter((number) => number !== batch.batchNo),
  );
  return admitted.includes(batch.batchNo) ? "look again" : "wait";
}

/** Admits the next batches of a tenant after one has ended. Costs nothing if no tier has a limit. */
export async function admitNext(deps: AdmissionDeps, tenant: string): Promise<void> {
  if (deps.tiers.isUnlimited) return;
  const { concurrentBatches } = await limitsOf(deps, tenant);
  if (concurrentBatches !== null) await admit(deps, tenant, concurrentBatches);
}

/**
 * Admits batches that were left waiting; the reconciler calls it. Batches are left waiting when a worker dies between
 * the end of a batch and the next admission, and when a limit is raised or removed.
 */
export async function admitWaiting(deps: AdmissionDeps): Promise<void> {
  for (const tenant of await waitingTenants(deps.db, MAX_TENANTS)) {
    await admit(deps, tenant, (await limitsOf(deps, tenant)).concurrentBatches);
  }
}

async function admit(deps: AdmissionDeps, tenant: string, limit: number | null): Promise<void> {
  await enqueueBatches(deps, await admitBatches(deps.db, tenant, limit, deps.clock()));
}

/** If an enqueue fails, the reconciler finds the admitted batches, like every batch that has a step to run. */
async function enqueueBatches({ queues }: AdmissionDeps, batches: readonly number[]): Promise<void> {
  for (const batchNo of batches) await queues.enqueue("batch.advance", { v: 1, batch_no: batchNo });
}
