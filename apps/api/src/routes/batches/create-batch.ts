/** POST /v1/batches: contract §1.3. */
import { createBatch as createBatchRow, type Db, findFile } from "@nightshift/db";
import {
  type CompletionWindows,
  type CreateBatchBody,
  createBatchBody,
  errors,
  newBatchId,
  type RandomBytes,
} from "@nightshift/domain";
import { readJsonBody } from "../../json-body.ts";
import { isObjectId } from "../../object-id.ts";
import { presentBatch } from "../../present/batch.ts";
import { toSeconds } from "../../present/seconds.ts";
import { bodyParser } from "../../request-schema.ts";
import type { TenantHandler } from "../../tenant-routes.ts";
import { type NotifyDeps, notifyWorker } from "./notify-worker.ts";

export interface CreateBatchDeps extends NotifyDeps {
  readonly db: Db;
  readonly clock: () => Date;
  readonly random: RandomBytes;
  readonly completionWindows: CompletionWindows;
}

/**
 * Writes the wish and answers with the batch in `validating`. Only the request itself is judged here, and the purpose of a
 * file that is there; a missing file fails the batch later, in validation (contract §3.4), as its lines do.
 */
export function createBatch(deps: CreateBatchDeps): TenantHandler {
  const parseBody = bodyParser(createBatchBody(deps.completionWindows.keys()));
  return async (request, response, tenant) => {
    const body = parseBody(await readJsonBody(request, response));
    refuseUnstorableText(body);
    const now = deps.clock();
    const input = await findFile(deps.db, tenant, body.input_file_id, now);
    if (input !== null && input.purpose !== "batch") throw errors.wrongPurpose(input.id, input.purpose);

    const batch = await createBatchRow(deps.db, {
      id: newBatchId(deps.random, toSeconds(now)),
      tenant,
      endpoint: body.endpoint,
      completionWindow: body.completion_window,
      inputFileId: body.input_file_id,
      metadata: body.metadata ?? null,
      outputExpiresAfterSeconds: body.output_expires_after?.seconds ?? null,
      createdAt: now,
      deadline: endOfWindow(deps.completionWindows, now, body.completion_window),
    });
    await notifyWorker(deps, request, batch.number);
    response.json(presentBatch(batch));
  };
}

function endOfWindow(windows: CompletionWindows, now: Date, window: string): Date {
  const seconds = windows.get(window);
  if (seconds === undefined) throw new Error(`the schema let the completion window ${window} pass`);
  return new Date(now.getTime() + seconds * 1000);
}

/** JSON can spell text that Postgres refuses in jsonb: NUL, and halves of surrogate pairs. */
function refuseUnstorableText({ input_file_id: id, metadata }: CreateBatchBody): void {
  if (!isObjectId(id)) throw errors.outOfRange("input_file_id", "it must be the id of an uploaded file");
  const texts = Object.entries(metadata ?? {}).flat();
  if (texts.some((text) => /\0|\p{Surrogate}/u.test(text))) {
    throw errors.outOfRange("metadata", "keys and values must be Unicode text without NUL");
  }
}
