/**
 * `batch.advance` looks at the state of a batch and runs its next steps until one has to wait. It may run twice, even
 * at the same time.
 */
import { getBatch, isDueToPublish, moveBatch, sealCancelled, sealExpired, type BatchView } from "@nightshift/db";
import { logFields, type WorkerDeps } from "../deps.ts";
import type { Scheduler } from "../scheduler.ts";
import { assembleBatch } from "./assemble/assemble-batch.ts";
import { feed, type FeedDeps } from "./feed/feeder.ts";
import { publishAnswered } from "./retry/publish-retries.ts";
import { admitNext, askAdmission } from "./validate/admission.ts";
import { validateBatch, type ValidateDeps } from "./validate/validate-batch.ts";

export interface AdvanceDeps
  extends ValidateDeps, Omit<FeedDeps, "scheduler">, Pick<WorkerDeps, "queues" | "batchFileLifeSeconds"> {
  readonly scheduler: Pick<Scheduler, "enqueueSlices" | "advanceSoon" | "deliverSoon">;
}

/** How long a cancelled batch waits for its lines in flight. Later results are discarded. */
const CANCEL_GRACE_MS = 5_000;
const CANCEL_LOOK_MS = 200;

/**
 * Resolves with "next" if the batch may have another step, with "stop" if the batch waits for something, and with
 * "ended" if its place in the tenant's tier is free.
 */
type Step = (deps: AdvanceDeps, batch: BatchView) => Promise<"next" | "stop" | "ended">;

export async function advanceBatch(deps: AdvanceDeps, batchNo: number): Promise<void> {
  for (;;) {
    const batch = await getBatch(deps.db, batchNo);
    if (batch === null) return;
    const result = await stepFor(batch)(deps, batch);
    if (result === "ended") await admitNext(deps, batch.tenant);
    if (result !== "next") return;
  }
}

function stepFor(batch: BatchView): Step {
  switch (batch.status) {
    case "validating":
      return validate;
    case "in_progress":
      return expire;
    case "cancelling":
      return batch.sealedAs === null ? sealCancel : assemble;
    case "finalizing":
      return assemble;
    case "completed":
    case "expired":
    case "cancelled":
      return publish;
    case "failed":
      return () => Promise.resolve("ended");
  }
}

async function validate(deps: AdvanceDeps, batch: BatchView): ReturnType<Step> {
  if (isOverdue(deps, batch)) {
    // An outage of Nightshift, or the tenant's other batches, used up the whole window. Nothing was sent, so there are
    // no result files.
    await moveBatch(deps.db, batch.batchNo, { to: "expired", outputFileId: null, errorFileId: null }, deps.clock());
    deps.scheduler.deliverSoon(batch.id);
    return "ended";
  }
  const admission = await askAdmission(deps, batch);
  if (admission !== "begin") return admission === "wait" ? "stop" : "next";
  const upstream = await validateBatch(deps, batch);
  if (upstream === null) {
    // The batch failed, or it was cancelled during validation and has not ended. Webhooks are enqueued only if the
    // batch ended.
    deps.scheduler.deliverSoon(batch.id);
    return "next";
  }
  deps.logger.info({ ...logFields(batch), upstream }, "batch in progress");
  await feed(deps, upstream);
  return "stop";
}

async function expire(deps: AdvanceDeps, batch: BatchView): ReturnType<Step> {
  if (!isOverdue(deps, batch)) return "stop";
  const isSealed = await sealExpired(deps.db, batch.batchNo, deps.clock());
  if (isSealed) deps.logger.info(logFields(batch), "batch expired; unfinished lines become batch_expired");
  return "next";
}

async function sealCancel(deps: AdvanceDeps, batch: BatchView): ReturnType<Step> {
  const since = deps.clock().getTime() - (batch.cancellingAt?.getTime() ?? 0);
  if (await sealCancelled(deps.db, batch.batchNo, since >= CANCEL_GRACE_MS, deps.clock())) return "next";
  deps.scheduler.advanceSoon(batch.batchNo, CANCEL_LOOK_MS);
  return "stop";
}

async function assemble(deps: AdvanceDeps, batch: BatchView): ReturnType<Step> {
  if (await assembleBatch(deps, batch)) {
    deps.logger.info(
      { ...logFields(batch), completed: batch.completed, failed: batch.failed, total: batch.total, as: batch.sealedAs },
      "batch finished",
    );
    deps.scheduler.deliverSoon(batch.id);
  }
  return "ended";
}

/**
 * Publishes only if the batch is due, because each publication rewrites the files. An advance for another reason must
 * not rewrite them.
 */
async function publish(deps: AdvanceDeps, batch: BatchView): ReturnType<Step> {
  if (await isDueToPublish(deps.db, batch.batchNo, deps.clock())) await publishAnswered(deps, batch);
  return "ended";
}

function isOverdue({ clock }: AdvanceDeps, batch: BatchView): boolean {
  return batch.deadline.getTime() <= clock().getTime();
}
