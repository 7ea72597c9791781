/** Decides which batches fill an upstream's window, and with how many lines, so that each gets a fair share. */
import { MAX_SLICE_LINES } from "./limits.ts";

export interface FeedWindow {
  /** Lines in slices that are due now, and their bytes. */
  readonly dueLines: number;
  readonly dueBytes: number;
  /** Lines in slices that wait for a later attempt. */
  readonly laterLines: number;
  readonly concurrency: number;
  readonly requestsPerMinute: number | null;
  /** Lines of one slice if the configuration sets it, else null. */
  readonly sliceLines: number | null;
  readonly linesPerSecond: number;
  /** Recent time of one line in milliseconds, null until a line was sent. */
  readonly lineMs: number | null;
  /** Lines in slices by tenant. Includes batches whose lines are all fed. */
  readonly linesOut: ReadonlyMap<string, number>;
}

export interface FeedShare {
  readonly batchNo: number;
  readonly tenant: string;
  readonly weight: number;
  readonly deadline: Date;
  /** Lines of this batch that are in slices. */
  readonly outstanding: number;
  /** Lines that are not fed yet. */
  readonly left: number;
}

/** The next lines of a batch, as one slice. */
export interface PlannedRun {
  readonly batchNo: number;
  readonly lines: number;
}

/**
 * The lines of a slice should take about a quarter of a second in one slot. A line that takes longer is a slice alone.
 */
const SLICE_MS = 250;
/**
 * A slice costs a job, a claim and a read: 3 ms of the machine on the Postgres backend. At 25 slices a second that cost
 * does not show. Larger slices lose nothing, because each line has its own slot and a slice's lines run concurrently.
 */
const SLICES_PER_SECOND = 25;
/** Slice size until a line's time is known. */
const FIRST_SLICE_LINES = 8;
/** The window holds twice the upstream's concurrency, or two seconds of its measured rate if that is more. */
const WINDOW_CONCURRENCIES = 2;
const WINDOW_SECONDS = 2;
/** An upstream is not fed while this many windows of lines wait for a later attempt: it only fails. */
const MAX_LATER_WINDOWS = 4;
/** Most bytes in the window. A single line may be longer. */
export const WINDOW_BYTES = 8 * 1024 * 1024;

/** Returns how many lines may be due at once. */
export function windowLines(window: FeedWindow): number {
  return Math.max(
    1,
    Math.ceil(Math.max(WINDOW_CONCURRENCIES * window.concurrency, WINDOW_SECONDS * window.linesPerSecond)),
  );
}

/** Returns the lines of one slice: 1 for a slow upstream, up to 64 for one that answers in milliseconds. */
export function sliceLines(window: FeedWindow): number {
  if (window.sliceLines !== null) return window.sliceLines;
  const byTime = window.lineMs === null ? FIRST_SLICE_LINES : SLICE_MS / Math.max(window.lineMs, 1);
  // The possible rate, not the measured one: a worker that is slow because of small slices would get even smaller ones.
  const perSecond = window.lineMs === null ? 0 : (window.concurrency * 1_000) / Math.max(window.lineMs, 1);
  const byThroughput = perSecond / SLICES_PER_SECOND;
  const byLimit =
    window.requestsPerMinute === null ? MAX_SLICE_LINES : (window.requestsPerMinute / 60) * (SLICE_MS / 1_000);
  return Math.max(1, Math.min(MAX_SLICE_LINES, Math.floor(Math.max(byTime, byThroughput)), Math.floor(byLimit)));
}

/**
 * Fills the window with runs. Each run goes to the tenant with the fewest lines in slices relative to its weight, and
 * there to the batch with the fewest, then to the earlier deadline. So a batch of 3 lines is fed at once next to a
 * batch of 50,000, and waiting batches get equal shares. This is deficit round robin without a memory: the lines in
 * slices are the deficit (docs/adr/0006-fair-share-without-a-memory.md).
 */
export function planFeed(window: FeedWindow, shares: readonly FeedShare[]): PlannedRun[] {
  const size = windowLines(window);
  if (window.laterLines >= MAX_LATER_WINDOWS * size) return [];
  let room = size - window.dueLines;
  if (window.dueLines > 0 && window.dueBytes >= WINDOW_BYTES) room = 0;
  const perSlice = sliceLines(window);
  const tenants = waitingTenants(window, shares);
  const runs: PlannedRun[] = [];
  while (room > 0) {
    const tenant = tenants.shift();
    const next = tenant?.batches.shift();
    if (tenant === undefined || next === undefined) break;
    const lines = Math.min(perSlice, next.left, room);
    runs.push({ batchNo: next.batchNo, lines });
    next.left -= lines;
    next.outstanding += lines;
    tenant.weighted += lines / next.weight;
    room -= lines;
    if (next.left > 0) insertSorted(tenant.batches, next, compareBatches);
    if (tenant.batches.length > 0) insertSorted(tenants, tenant, compareTenants);
  }
  return runs;
}

interface WaitingBatch {
  readonly batchNo: number;
  readonly weight: number;
  readonly deadline: number;
  /** Index in the list of shares: the last tie-breaker. */
  readonly place: number;
  outstanding: number;
  left: number;
}

interface WaitingTenant {
  /** Lines in slices, divided by the tenant's weight. */
  weighted: number;
  /** Batches with lines left, the next one first. */
  readonly batches: WaitingBatch[];
}

/** Returns the tenants that have lines left, the next one first. */
function waitingTenants({ linesOut }: FeedWindow, shares: readonly FeedShare[]): WaitingTenant[] {
  const byName = new Map<string, WaitingTenant>();
  for (const [place, share] of shares.entries()) {
    const { batchNo, weight, outstanding, left } = share;
    const tenant = byName.get(share.tenant) ?? { weighted: 0, batches: [] };
    byName.set(share.tenant, tenant);
    tenant.weighted = (linesOut.get(share.tenant) ?? 0) / weight;
    if (left > 0)
      tenant.batches.push({ batchNo, weight, deadline: share.deadline.getTime(), place, outstanding, left });
  }
  const tenants = [...byName.values()].filter(({ batches }) => batches.length > 0);
  for (const { batches } of tenants) batches.sort(compareBatches);
  return tenants.sort(compareTenants);
}

function compareBatches(a: WaitingBatch, b: WaitingBatch): number {
  return a.outstanding - b.outstanding || a.deadline - b.deadline || a.place - b.place;
}

function compareTenants(a: WaitingTenant, b: WaitingTenant): number {
  const [first, second] = [a.batches[0], b.batches[0]];
  if (a.weighted !== b.weighted || first === undefined || second === undefined) return a.weighted - b.weighted;
  return compareBatches(first, second);
}

/**
 * Inserts by binary search. A search through all batches for each slice would block the event loop for large windows.
 */
function insertSorted<T>(sorted: T[], item: T, compare: (a: T, b: T) => number): void {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = sorted[middle];
    if (other !== undefined && compare(other, item) < 0) low = middle + 1;
    else high = middle;
  }
  sorted.splice(low, 0, item);
}
