/** POST /v1/batches: creates a batch (contract §1.3). */
import { BatchQueueFullError, insertBatch, type Db, findBatch, findFile, type NewBatch } from "@nightshift/db";
import {
  type CompletionWindows,
  type CreateBatchBody,
  createBatchBody,
  errors,
  newBatchId,
  type RandomBytes,
  type TierLimits,
} from "@nightshift/domain";
import { claimFor, hashRequest, readIdempotencyKey, replay } from "../../idempotency.ts";
import { readJsonBody } from "../../json-body.ts";
import { isObjectId } from "../../object-id.ts";
import { presentBatch } from "../../present/batch.ts";
import { toSeconds } from "../../present/seconds.ts";
import { bodyParser } from "../../request-schema.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import type { TenantLimits } from "../../tiers/tenant-limits.ts";
import { type NotifyDeps, notifyWorker } from "./notify-worker.ts";

export interface CreateBatchDeps extends NotifyDeps {
  readonly db: Db;
  readonly clock: () => Date;
  readonly random: RandomBytes;
  readonly completionWindows: CompletionWindows;
  readonly limitsOf: TenantLimits;
}

/**
 * Inserts the batch and sends it in `validating`. Checks the request, and the purpose of the input file if it exists. A
 * missing file fails the batch later, in validation (contract §3.4), like an invalid line. Returns 429 if the tier of
 * the tenant has no room to run or to queue the batch. If a request with an `Idempotency-Key` is repeated, the reply
 * has the batch that the first request created, in its current state.
 */
export function createBatchRoute(deps: CreateBatchDeps): TenantHandler {
  const parseBody = bodyParser(createBatchBody(deps.completionWindows.keys()));
  return async (request, response, tenant) => {
    const key = readIdempotencyKey(request);
    const body = parseBody(await readJsonBody(request, response));
    refuseUnstorableText(body);
    const now = deps.clock();
    const input = await findFile(deps.db, tenant, body.input_file_id, now);
    if (input !== null && input.purpose !== "batch") throw errors.wrongPurpose(input.id, input.purpose);

    const maxUnfinished = maxUnfinishedOf(await deps.limitsOf(tenant));
    const requestId = String(response.getHeader("x-request-id"));
    const wanted = { ...toNewBatch(deps, body, tenant, now), requestId, maxUnfinished };
    const keyed =
      key === null
        ? undefined
        : { tenant, operation: "create_batch" as const, key, requestHash: hashRequest(body), objectId: wanted.id };
    try {
      const batch = await insertBatch(deps.db, wanted, keyed && claimFor(keyed, now));
      await notifyWorker(deps, request, batch.batchNo);
      response.json(presentBatch(batch));
    } catch (error) {
      if (error instanceof BatchQueueFullError) {
        // The SDKs retry a 429 a few times within seconds (contract §5.3), and batches take longer than that.
        response.setHeader("x-should-retry", "false");
        throw errors.batchQueueFull(maxUnfinished ?? 0);
      }
      if (keyed === undefined) throw error;
      response.json(presentBatch(await replay(response, error, (id) => findBatch(deps.db, tenant, id))));
    }
  };
}

/** Returns the batch that the body describes. */
function toNewBatch(deps: CreateBatchDeps, body: CreateBatchBody, tenant: string, now: Date): NewBatch {
  return {
    id: newBatchId(deps.random, toSeconds(now)),
    tenant,
    endpoint: body.endpoint,
    completionWindow: body.completion_window,
    inputFileId: body.input_file_id,
    metadata: body.metadata ?? null,
    outputExpiresAfterSeconds: body.output_expires_after?.seconds ?? null,
    createdAt: now,
    deadline: endOfWindow(deps.completionWindows, now, body.completion_window),
  };
}

/** Returns the maximum number of batches that the tenant may have running or waiting. Null if there is no limit. */
function maxUnfinishedOf({ concurrentBatches, queuedBatches }: TierLimits): number | null {
  return concurrentBatches === null || queuedBatches === null ? null : concurrentBatches + queuedBatches;
}

function endOfWindow(windows: CompletionWindows, now: Date, window: string): Date {
  const seconds = windows.get(window);
  if (seconds === undefined) throw new Error(`the schema accepted the unknown completion window ${window}`);
  return new Date(now.getTime() + seconds * 1000);
}

/** JSON can contain text that Postgres refuses in jsonb: NUL and lone surrogates. */
function refuseUnstorableText({ input_file_id: id, metadata }: CreateBatchBody): void {
  if (!isObjectId(id)) throw errors.outOfRange("input_file_id", "it must be the id of an uploaded file");
  const texts = Object.entries(metadata ?? {}).flat();
  if (texts.some((text) => /\0|\p{Surrogate}/u.test(text))) {
    throw errors.outOfRange("metadata", "keys and values must be Unicode text without NUL");
  }
}
