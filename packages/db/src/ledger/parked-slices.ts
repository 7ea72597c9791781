/** Parked slices: retries of many lines at once, which wait until the upstream's window has room for them. */
import { windowLines, type FeedWindow } from "@nightshift/domain";
import type { Tx } from "../pool.ts";
import { SMALL_BATCH_LINES, type WaitingSlice } from "./slice-row.ts";

/**
 * The number of parked lines that one feed makes due: half of the room in the window. The other half is for lines that
 * were never sent. 0 while the upstream is paused.
 */
export function roomForParked(
  window: FeedWindow & { readonly hasParked: boolean; readonly isPaused: boolean },
): number {
  if (!window.hasParked || window.isPaused) return 0;
  return Math.max(0, Math.ceil((windowLines(window) - window.dueLines) / 2));
}

/** Makes this many parked slices due, oldest first. Returns the slices to enqueue. */
export async function releaseParked(tx: Tx, upstream: string, room: number): Promise<WaitingSlice[]> {
  if (room === 0) return [];
  const { rows } = await tx.query<WaitingSlice>(
    `/* ledger.release_parked */
    update slices s set not_before = clock_timestamp() from batches b
    where b.batch_no = s.batch_no and s.slice_no in (
      select slice_no from slices where upstream = $1 and not_before = 'infinity'
      order by slice_no limit $2 for no key update skip locked)
    returning s.slice_no as "sliceNo", s.gen, s.upstream, b.total > $3 as "isBulk", 0 as "delayMs"`,
    [upstream, room, SMALL_BATCH_LINES],
  );
  return rows;
}
