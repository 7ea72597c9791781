/** A tenant's turn: which of its batches may begin, by the limit `concurrent_batches` of its tier. */
import { admitBatches, findTenant, waitingTenants, type BatchView } from "@nightshift/db";
import type { TierLimits } from "@nightshift/domain";
import type { WorkerDeps } from "../deps.ts";

export type AdmissionDeps = Pick<WorkerDeps, "db" | "queues" | "tiers" | "clock">;

/** Tenants whose waiting batches are looked at in one turn of the reconciler. */
const MAX_TENANTS = 500;

/** The limits of a tenant at this moment; nobody is asked where no tier limits anything. */
export async function limitsOf({ db, tiers }: Pick<WorkerDeps, "db" | "tiers">, tenant: string): Promise<TierLimits> {
  return tiers.limitsOf(tiers.isUnlimited ? null : ((await findTenant(db, tenant))?.tier ?? null));
}

/**
 * Whether the batch, as it was read, may begin. Where it has not been admitted, the tenant's oldest ones are, as many as there is
 * room for; the caller reads the batch again to see whether it was among them.
 */
export async function askAdmission(deps: AdmissionDeps, batch: BatchView): Promise<"begin" | "look again" | "wait"> {
  if (batch.admittedAt !== null) return "begin";
  const { concurrentBatches } = await limitsOf(deps, batch.tenant);
  if (concurrentBatches === null) return "begin";
  const admitted = await admitBatches(deps.db, batch.tenant, concurrentBatches, deps.clock());
  await wake(
    deps,
    admitted.filter((number) => number !== batch.batchNo),
  );
  return admitted.includes(batch.batchNo) ? "look again" : "wait";
}

/** One of the tenant's batches has ended: whoever waits is admitted and told. Costs nothing where no tier limits anything. */
export async function admitNext(deps: AdmissionDeps, tenant: string): Promise<void> {
  if (deps.tiers.isUnlimited) return;
  const { concurrentBatches } = await limitsOf(deps, tenant);
  if (concurrentBatches !== null) await admit(deps, tenant, concurrentBatches);
}

/**
 * For the reconciler: a worker that died between the end of a batch and the next admission leaves batches waiting, and so does a
 * limit that was raised or taken away.
 */
export async function admitWaiting(deps: AdmissionDeps): Promise<void> {
  for (const tenant of await waitingTenants(deps.db, MAX_TENANTS)) {
    await admit(deps, tenant, (await limitsOf(deps, tenant)).concurrentBatches);
  }
}

async function admit(deps: AdmissionDeps, tenant: string, limit: number | null): Promise<void> {
  await wake(deps, await admitBatches(deps.db, tenant, limit, deps.clock()));
}

/** A batch that was admitted and not told is found by the reconciler, as every batch with a step to do. */
async function wake({ queues }: AdmissionDeps, batches: readonly number[]): Promise<void> {
  for (const batchNo of batches) await queues.enqueue("batch.advance", { v: 1, batch_no: batchNo });
}
