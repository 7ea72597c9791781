/** `maintenance.run`: retention. Deletes bytes that nothing needs any more, and prepares the next day's partition. */
import {
  ensureLinePartition,
  forgetBlobs,
  forgetFiles,
  forgetSegments,
  forgetWebhookEvents,
  sweepableSegments,
  sweepKeys,
  takeTurn,
  unneededBlobs,
} from "@nightshift/db";
import { DAY_MS, RESULT_LOG_KEPT_SECONDS } from "@nightshift/domain";
import type { WorkerDeps } from "../deps.ts";
import { deleteStrayObjects } from "./stray-objects.ts";
import { sweepUploads } from "./sweep-uploads.ts";

/** The result log of a finished batch stays for a day, in which its lines can be read; an hour more for whoever has begun to. */
const SEGMENT_AGE_SECONDS = RESULT_LOG_KEPT_SECONDS + 3_600;
/** An upload or an assembly may be under way for hours before its file exists. */
const BLOB_AGE_SECONDS = 86_400;
/** Clients may still page after a file that is not there any more. */
const FILE_ROW_AGE_MS = DAY_MS;
/** Webhooks' events and deliveries are history by then: none is tried for more than three days. */
const WEBHOOK_AGE_MS = 30 * DAY_MS;
/** They have to be listed, nine requests to the object store, and nobody waits for them. */
const STRAYS_EVERY_MS = 3_600_000;
const AT_ONCE = 500;
const KEYS_AT_ONCE = 10_000;

export function runMaintenance(deps: Pick<WorkerDeps, "db" | "objects" | "clock" | "logger">) {
  return async (): Promise<void> => {
    const now = deps.clock();
    await ensureLinePartition(deps.db, Math.floor(now.getTime() / DAY_MS) + 1);
    const segments = await sweepableSegments(deps.db, SEGMENT_AGE_SECONDS, AT_ONCE);
    if (segments.length > 0) {
      await deps.objects.delete(segments.map((segment) => segment.key));
      await forgetSegments(
        deps.db,
        segments.map((segment) => segment.id),
      );
    }
    const parts = await sweepUploads(deps, now);
    const blobs = await unneededBlobs(deps.db, now, BLOB_AGE_SECONDS, AT_ONCE);
    if (blobs.length > 0) {
      await deps.objects.delete(blobs);
      await forgetBlobs(deps.db, blobs);
    }
    await sweepKeys(deps.db, now, KEYS_AT_ONCE);
    const gone = {
      segments: segments.length,
      parts,
      blobs: blobs.length,
      files: await forgetFiles(deps.db, new Date(now.getTime() - FILE_ROW_AGE_MS), AT_ONCE),
      events: await forgetWebhookEvents(deps.db, new Date(now.getTime() - WEBHOOK_AGE_MS), AT_ONCE),
      strays: (await takeTurn(deps.db, "stray objects", STRAYS_EVERY_MS)) ? await deleteStrayObjects(deps) : 0,
    };
    if (Object.values(gone).some((count) => count > 0))
      deps.logger.info(gone, "maintenance deleted what nothing needs");
  };
}
