/** Ends the uploads whose hour is over, and deletes the parts of all that have ended. */
import { expireUploads, forgetBlobs, unneededPartBlobs } from "@nightshift/db";
import type { WorkerDeps } from "../deps.ts";

/** Keys of one deletion: the most that S3 takes. */
const AT_ONCE = 1_000;

/**
 * Returns how many parts were deleted. The API deletes the parts of what it completes or cancels; here go those of expired
 * uploads, and what it could not delete.
 */
export async function sweepUploads({ db, objects }: Pick<WorkerDeps, "db" | "objects">, now: Date): Promise<number> {
  await expireUploads(db, now);
  let deleted = 0;
  for (;;) {
    const keys = await unneededPartBlobs(db, AT_ONCE);
    if (keys.length === 0) return deleted;
    await objects.delete(keys);
    // The parts' rows go too, so that the next round finds others.
    await forgetBlobs(db, keys);
    deleted += keys.length;
  }
}
