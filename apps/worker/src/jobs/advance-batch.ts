/** `batch.advance`: looks at a batch's state and does the next steps, as many as there are. May run twice, at once. */
import { getBatch, isDueToPublish, moveBatch, sealCancelled, sealExpired, type BatchView } from "@nightshift/db";
import type { JobPayload } from "@nightshift/queue";
import type { WorkerDeps } from "../deps.ts";
import { logFacts } from "../batch/log-facts.ts";
import { admitNext, askAdmission } from "../batch/admission.ts";
import { assembleBatch } from "../batch/assemble-batch.ts";
import { publishAnswered } from "../batch/publish-retries.ts";
import { validateBatch, type ValidateDeps } from "../batch/validate-batch.ts";

export interface AdvanceDeps extends ValidateDeps, Pick<WorkerDeps, "queues" | "batchFileLifeSeconds"> {
  /** Feeds an upstream at once: a small batch does not wait for a job of its own. */
  readonly feed: (upstream: string) => Promise<unknown>;
  /** Told of the id of each batch that has reached its final state. */
  readonly ended: (batchId: string) => void;
  /** Looks at the batch again after so many milliseconds. */
  readonly again: (batchNo: number, delayMs: number) => void;
}

/** How long a cancelled batch waits for lines in flight; what comes later is discarded. */
const CANCEL_GRACE_MS = 5_000;
const CANCEL_LOOK_MS = 200;

/** A step changes the batch's state, or there is no further one for now, or the batch has ended. */
type Step = (deps: AdvanceDeps, batch: BatchView) => Promise<"next" | "stop" | "ended">;

export function advanceBatch(deps: AdvanceDeps) {
  return async (payload: JobPayload<"batch.advance">): Promise<void> => {
    for (;;) {
      const batch = await getBatch(deps.db, payload.batch_no);
      if (batch === null) return;
      const went = await stepFor(batch)(deps, batch);
      if (went === "ended") await admitNext(deps, batch.tenant);
      if (went !== "next") return;
    }
  };
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

const validate: Step = async (deps, batch) => {
  if (isOverdue(deps, batch)) {
    // Our own outage or its tenant's other batches took the whole window: nothing was sent, so there is nothing to hand out.
    await moveBatch(deps.db, batch.batchNo, { to: "expired", outputFileId: null, errorFileId: null }, deps.clock());
    deps.ended(batch.id);
    return "ended";
  }
  const admission = await askAdmission(deps, batch);
  if (admission !== "begin") return admission === "wait" ? "stop" : "next";
  const upstream = await validateBatch(deps, batch);
  if (upstream === null) {
    // It failed, or was cancelled meanwhile and has not ended; the listener sees which.
    deps.ended(batch.id);
    return "next";
  }
  deps.logger.info({ ...logFacts(batch), upstream }, "batch in progress");
  await deps.feed(upstream);
  return "stop";
};

const expire: Step = async (deps, batch) => {
  if (!isOverdue(deps, batch)) return "stop";
  const isSealed = await sealExpired(deps.db, batch.batchNo, deps.clock());
  if (isSealed) deps.logger.info(logFacts(batch), "batch expired; unfinished lines become batch_expired");
  return "next";
};

const sealCancel: Step = async (deps, batch) => {
  const since = deps.clock().getTime() - (batch.cancellingAt?.getTime() ?? 0);
  if (await sealCancelled(deps.db, batch.batchNo, since >= CANCEL_GRACE_MS, deps.clock())) return "next";
  deps.again(batch.batchNo, CANCEL_LOOK_MS);
  return "stop";
};

const assemble: Step = async (deps, batch) => {
  if (await assembleBatch(deps, batch)) {
    deps.logger.info(
      { ...logFacts(batch), completed: batch.completed, failed: batch.failed, total: batch.total, as: batch.sealedAs },
      "batch finished",
    );
    deps.ended(batch.id);
  }
  return "ended";
};

/** Only of batches that are due for it: an advance that came for another reason must not rebuild files line by line. */
const publish: Step = async (deps, batch) => {
  if (await isDueToPublish(deps.db, batch.batchNo, deps.clock())) await publishAnswered(deps, batch);
  return "ended";
};

function isOverdue({ clock }: AdvanceDeps, batch: BatchView): boolean {
  return batch.deadline.getTime() <= clock().getTime();
}
