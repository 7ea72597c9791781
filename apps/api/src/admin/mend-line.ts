/** Sends one failed line of a running batch again, for an admin who asked for it. */
import { type Db, getBatch, type MendOutcome, openMend } from "@nightshift/db";
import { indexRange, readSpan } from "@nightshift/domain";
import type { JobQueues, LineFailedPayload } from "@nightshift/queue";
import type { Logger } from "@nightshift/service";
import type { ObjectStore } from "@nightshift/storage";

export interface MendLineDeps {
  readonly db: Db;
  readonly objects: Pick<ObjectStore, "read">;
  readonly queues: Pick<JobQueues, "enqueueSlices">;
  readonly logger: Logger;
}

/** The line cannot be sent again; the message is shown in the dashboard. */
export class MendRefusedError extends Error {
  override readonly name = "MendRefusedError";
  /** The status of the dashboard's answer. */
  readonly statusCode = 409;
}

/**
 * Opens the mend in Postgres, which alone makes the line run again; its job only hurries it on. Resolves also where the
 * line is running again or has a good result by now. Throws MendRefusedError where the batch is over.
 */
export async function mendLine(deps: MendLineDeps, failed: LineFailedPayload, askedBy: string): Promise<void> {
  const batch = await getBatch(deps.db, failed.batch);
  if (batch === null || failed.line >= batch.total) throw refusal(failed, "there is no such request");
  if (batch.indexBlob === null) throw refusal(failed, "the input of its batch is not there any more");
  const span = readSpan(await deps.objects.read(batch.indexBlob, indexRange(failed.line, 1)), 0);
  const mend = await openMend(deps.db, {
    batch: failed.batch,
    line: failed.line,
    askedBy,
    byteOffset: span.offset,
    byteLength: span.length,
  });
  await finish(deps, failed, mend);
}

async function finish({ queues, logger }: MendLineDeps, failed: LineFailedPayload, mend: MendOutcome): Promise<void> {
  switch (mend.outcome) {
    case "opened": {
      const { upstream, sliceNo, gen, isBulk } = mend.slice;
      try {
        await queues.enqueueSlices(upstream, [{ sliceNo, gen, bulk: isBulk }]);
      } catch (error) {
        logger.warn({ err: error, sliceNo }, "the queue is away; the reconciler will find this slice");
      }
      return;
    }
    case "not_failed":
      return;
    case "batch_not_running":
      throw refusal(failed, `its batch is ${mend.status}, and only lines of a running batch can be sent again`);
    case "no_such_line":
      throw refusal(failed, "there is no such request");
    default:
      mend satisfies never;
  }
}

/** Lines count from 0 in the ledger and from 1 for people. */
function refusal({ batch_id: batchId, line }: LineFailedPayload, reason: string): MendRefusedError {
  return new MendRefusedError(`Request ${String(line + 1)} of ${batchId} cannot be retried: ${reason}.`);
}
