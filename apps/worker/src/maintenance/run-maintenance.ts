/** `maintenance.run` deletes data that is no longer needed, and creates the partition of the next day. */
import {
  ensureLinePartition,
  expireUploads,
  forgetBlobs,
  forgetFiles,
  forgetSegments,
  forgetWebhookEvents,
  sweepableSegments,
  sweepKeys,
  takeTurn,
  unneededBlobs,
  unneededPartBlobs,
} from "@nightshift/db";
import { DAY_MS, RESULT_LOG_KEPT_SECONDS } from "@nightshift/domain";
import type { WorkerDeps } from "../deps.ts";
import { deleteStrayObjects } from "./stray-objects.ts";

export type MaintenanceDeps = Pick<WorkerDeps, "db" | "objects" | "clock" | "logger">;

/** Clients can read the result log of a finished batch for a day. The extra hour is for reads that started in time. */
const SEGMENT_AGE_SECONDS = RESULT_LOG_KEPT_SECONDS + 3_600;
/** An upload or an assembly may run for hours before the row of its file exists. */
const BLOB_AGE_SECONDS = 86_400;
/** Clients may still use a deleted file as the cursor of a list. */
const FILE_ROW_AGE_MS = DAY_MS;
/** After this time, webhook events and deliveries are only history: a delivery is tried for at most three days. */
const WEBHOOK_AGE_MS = 30 * DAY_MS;
/** Finding stray objects takes nine list requests to the object store, and is not urgent. */
const STRAYS_EVERY_MS = 3_600_000;
const MAX_ROWS = 500;
const MAX_IDEMPOTENCY_KEYS = 10_000;
/** The maximum number of keys that S3 deletes in one request. */
const MAX_PARTS = 1_000;

export async function runMaintenance(deps: MaintenanceDeps): Promise<void> {
  const { db, objects, logger } = deps;
  const now = deps.clock();
  await ensureLinePartition(db, Math.floor(now.getTime() / DAY_MS) + 1);
  const segments = await sweepableSegments(db, SEGMENT_AGE_SECONDS, MAX_ROWS);
  if (segments.length > 0) {
    await objects.delete(segments.map((segment) => segment.key));
    await forgetSegments(
      db,
      segments.map((segment) => segment.id),
    );
  }
  const parts = await sweepUploads(deps, now);
  const blobs = await unneededBlobs(db, now, BLOB_AGE_SECONDS, MAX_ROWS);
  if (blobs.length > 0) {
    await objects.delete(blobs);
    await forgetBlobs(db, blobs);
  }
  await sweepKeys(db, now, MAX_IDEMPOTENCY_KEYS);
  const deleted = {
    segments: segments.length,
    parts,
    blobs: blobs.length,
    files: await forgetFiles(db, new Date(now.getTime() - FILE_ROW_AGE_MS), MAX_ROWS),
    events: await forgetWebhookEvents(db, new Date(now.getTime() - WEBHOOK_AGE_MS), MAX_ROWS),
    strays: (await takeTurn(db, "stray objects", STRAYS_EVERY_MS)) ? await deleteStrayObjects(deps) : 0,
  };
  if (Object.values(deleted).some((count) => count > 0)) logger.info(deleted, "maintenance deleted unneeded data");
}

/**
 * Expires uploads, and deletes the parts of all ended uploads. Returns the number of deleted parts. The API deletes the
 * parts of uploads that it completes or cancels. This function deletes the parts of expired uploads, and the parts that
 * the API could not delete.
 */
export async function sweepUploads({ db, objects }: Pick<WorkerDeps, "db" | "objects">, now: Date): Promise<number> {
  await expireUploads(db, now);
  let deleted = 0;
  for (;;) {
    const keys = await unneededPartBlobs(db, MAX_PARTS);
    if (keys.length === 0) return deleted;
    await objects.delete(keys);
    // This deletes the rows of the parts too, so the next round finds other parts.
    await forgetBlobs(db, keys);
    deleted += keys.length;
  }
}
