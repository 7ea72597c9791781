/** Decides how many lines of which batch go out next: the fair share of an upstream's window. Arithmetic only. */
import { MAX_SLICE_LINES } from "./limits.ts";

export interface FeedWindow {
  /** Lines, and their bytes, that are out and due. */
  readonly dueLines: number;
  readonly dueBytes: number;
  /** Lines that wait for a later attempt. */
  readonly laterLines: number;
  readonly concurrency: number;
  readonly requestsPerMinute: number | null;
  /** Lines of one slice, where the configuration says it. */
  readonly sliceLines: number | null;
  readonly linesPerSecond: number;
  /** What one line took lately, in milliseconds; null until one was sent. */
  readonly lineMs: number | null;
  /** Lines that are out, by tenant: of all its batches, those without further lines too. */
  readonly linesOut: ReadonlyMap<string, number>;
}

export interface FeedShare {
  readonly batchNo: number;
  readonly tenant: string;
  readonly weight: number;
  readonly deadline: Date;
  /** Lines of this batch that are out. */
  readonly outstanding: number;
  /** Lines that are not out yet. */
  readonly left: number;
}

/** A run of lines of one batch, in the order in which they are to be handed out. */
export interface PlannedRun {
  readonly batchNo: number;
  readonly lines: number;
}

/** Lines that follow one another in one slot should take about a quarter of a second: one where a line takes longer. */
const SLICE_MS = 250;
/**
 * A slice costs a job, a claim and a read: 3 ms of the machine on the Postgres backend. So many a second do not show, and
 * nothing is lost by larger ones: each line has its own slot, and a slice's lines are under way at the same time.
 */
const SLICES_PER_SECOND = 25;
/** Until a line's time is known. */
const FIRST_SLICE_LINES = 8;
/** The window in units of the upstream's concurrency, and in seconds of its measured rate. */
const WINDOW_CONCURRENCIES = 2;
const WINDOW_SECONDS = 2;
/** No more than so many windows of lines may wait for a later attempt: an upstream that only fails is fed no further. */
const MAX_LATER_WINDOWS = 4;
/** Bytes of the window; a single line may be longer. */
export const WINDOW_BYTES = 8 * 1024 * 1024;

/** Lines that may be out and due at once. */
export function windowLines(window: FeedWindow): number {
  return Math.max(
    1,
    Math.ceil(Math.max(WINDOW_CONCURRENCIES * window.concurrency, WINDOW_SECONDS * window.linesPerSecond)),
  );
}

/** Lines of one slice: one where a line takes long and few finish, up to 64 where the upstream answers in milliseconds. */
export function sliceLines(window: FeedWindow): number {
  if (window.sliceLines !== null) return window.sliceLines;
  const byTime = window.lineMs === null ? FIRST_SLICE_LINES : SLICE_MS / Math.max(window.lineMs, 1);
  // What the upstream could do, not what was measured: a worker that is slow because of small slices would get smaller ones.
  const perSecond = window.lineMs === null ? 0 : (window.concurrency * 1_000) / Math.max(window.lineMs, 1);
  const byThroughput = perSecond / SLICES_PER_SECOND;
  const byLimit =
    window.requestsPerMinute === null ? MAX_SLICE_LINES : (window.requestsPerMinute / 60) * (SLICE_MS / 1_000);
  return Math.max(1, Math.min(MAX_SLICE_LINES, Math.floor(Math.max(byTime, byThroughput)), Math.floor(byLimit)));
}

/**
 * Fills the window: each run goes to the tenant with the fewest lines out for its weight, and there to the batch with the
 * fewest out, the earlier deadline first. So a batch of 3 lines goes out at once beside one of 50,000, and batches that
 * wait get equal shares. (Deficit round robin without a memory: what is out is the deficit.)
 */
export function planFeed(window: FeedWindow, shares: readonly FeedShare[]): PlannedRun[] {
  const size = windowLines(window);
  if (window.laterLines >= MAX_LATER_WINDOWS * size) return [];
  let room = size - window.dueLines;
  if (window.dueLines > 0 && window.dueBytes >= WINDOW_BYTES) room = 0;
  const perSlice = sliceLines(window);
  const waiting = shares.map((share) => ({ ...share }));
  const tenants = new Map<string, number>();
  for (const { tenant, weight } of waiting) tenants.set(tenant, (window.linesOut.get(tenant) ?? 0) / weight);
  const runs: PlannedRun[] = [];
  while (room > 0) {
    const next = waiting
      .filter((share) => share.left > 0)
      .reduce<(typeof waiting)[number] | null>(
        (best, share) => (best === null || before(share, best, tenants) ? share : best),
        null,
      );
    if (next === null) break;
    const lines = Math.min(perSlice, next.left, room);
    runs.push({ batchNo: next.batchNo, lines });
    next.left -= lines;
    next.outstanding += lines;
    tenants.set(next.tenant, (tenants.get(next.tenant) ?? 0) + lines / next.weight);
    room -= lines;
  }
  return runs;
}

function before(a: FeedShare, b: FeedShare, tenants: ReadonlyMap<string, number>): boolean {
  const byTenant = (tenants.get(a.tenant) ?? 0) - (tenants.get(b.tenant) ?? 0);
  if (a.tenant !== b.tenant && byTenant !== 0) return byTenant < 0;
  if (a.outstanding !== b.outstanding) return a.outstanding < b.outstanding;
  return a.deadline.getTime() < b.deadline.getTime();
}
