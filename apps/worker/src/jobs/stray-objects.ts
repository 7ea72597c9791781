/**
 * Deletes what no row tells of: a segment whose worker died between writing and recording it, or whose batch was sealed
 * meanwhile, and the parts of an object whose writer died. Found by their day, so that little has to be listed.
 */
import { knownSegments } from "@nightshift/db";
import { DAY_MS } from "@nightshift/domain";
import type { WorkerDeps } from "../deps.ts";

/** A worker holds what it has written for as long as Postgres is away: longer than anybody leaves it so. */
const FIRST_DAY = 7;
/** Days that are looked at: an installation may have been off for a week. */
const DAYS = 7;
const AT_ONCE = 500;

/** Returns how many segments were deleted. */
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
      if (keys.length >= AT_ONCE) deleted += await deleteUnknown(keys.splice(0));
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
