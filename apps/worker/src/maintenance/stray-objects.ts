/**
 * Deletes objects without a row: a segment whose worker died between the write and the record, a segment whose batch
 * was sealed before the record, and the parts of an object whose writer died. Segments are listed by day, so that each
 * run lists only a few.
 */
import { knownSegments } from "@nightshift/db";
import { DAY_MS } from "@nightshift/domain";
import type { WorkerDeps } from "../deps.ts";

/** A worker keeps written segments while Postgres is unavailable. No outage is expected to last a week. */
const FIRST_DAY = 7;
/** The number of days to check. The whole installation may have been off for a week. */
const DAYS = 7;
const MAX_KEYS = 500;

/** Returns the number of deleted segments. */
export async function deleteStrayObjects({
  db,
  objects,
  clock,
}: Pick<WorkerDeps, "db" | "objects" | "clock">): Promise<number> {
  const now = clock().getTime();
  for (const prefix of ["files/", "uploads/"]) await objects.discardUnfinished(prefix, new Date(now - DAY_MS));
  let deleted = 0;
  for (let age = FIRST_DAY; age < FIRST_DAY + DAYS; age += 1) {
    const day = new Date(now - age * DAY_MS).toISOString().slice(0, 10);
    const keys: string[] = [];
    for await (const key of objects.list(`segments/${day}/`)) {
      keys.push(key);
      if (keys.length >= MAX_KEYS) deleted += await deleteUnknown(keys.splice(0));
    }
    deleted += await deleteUnknown(keys);
  }
  return deleted;

  async function deleteUnknown(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    const known = await knownSegments(db, keys);
    const strays = keys.filter((key) => !known.has(key));
    if (strays.length > 0) await objects.delete(strays);
    return strays.length;
  }
}
