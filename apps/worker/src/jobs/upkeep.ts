/** `upkeep.run`: retention. Deletes bytes that nothing needs any more, and prepares the next day's partition. */
import {
  ensureLinePartition,
  forgetBlobs,
  forgetSegments,
  forgetWebhookEvents,
  sweepableSegments,
  unneededBlobs,
} from "@nightshift/db";
import type { WorkerDeps } from "../deps.ts";

const DAY_MS = 86_400_000;
/** The result log of a finished batch stays for a day: for downloads under way, and for somebody who wants to look. */
const SEGMENT_AGE_SECONDS = 86_400;
/** An upload or an assembly may be under way for hours before its file exists. */
const BLOB_AGE_SECONDS = 86_400;
/** Webhooks' events and deliveries are history by then: none is tried for more than three days. */
const WEBHOOK_AGE_MS = 30 * DAY_MS;
const AT_ONCE = 500;

export function runUpkeep(deps: Pick<WorkerDeps, "db" | "objects" | "clock" | "logger">) {
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
    const blobs = await unneededBlobs(deps.db, now, BLOB_AGE_SECONDS, AT_ONCE);
    if (blobs.length > 0) {
      await deps.objects.delete(blobs);
      await forgetBlobs(deps.db, blobs);
    }
    const events = await forgetWebhookEvents(deps.db, new Date(now.getTime() - WEBHOOK_AGE_MS), AT_ONCE);
    if (events > 0) deps.logger.info({ events }, "upkeep deleted old events of webhooks");
    if (segments.length + blobs.length > 0) {
      deps.logger.info({ segments: segments.length, blobs: blobs.length }, "upkeep deleted what nothing needs");
    }
  };
}
