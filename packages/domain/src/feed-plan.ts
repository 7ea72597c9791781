/** Decides which batches fill an upstream's window, and with how many lines, so that each gets a fair share. */
import { MAX_SLICE_LINES } from "./limits.ts";

export interface FeedWindow {
  /** The number of lines in slices that are due now, and their size in bytes. */
  readonly dueLines: number;
  readonly dueBytes: number;
  /** The number of lines in slices that wait for a later attempt. */
  readonly laterLines: number;
  readonly concurrency: number;
  readonly requestsPerMinute: number | null;
  /** The number of lines of one slice if the configuration sets it, or null. */
  readonly sliceLines: number | null;
  readonly linesPerSecond: number;
  /** The recent time of one line in milliseconds. Null until a line was sent. */
  readonly lineMs: number | null;
  /** The number of lines in slices, by tenant. Includes batches whose lines are all fed. */
  readonly linesOut: ReadonlyMap<string, number>;
}

export interface FeedShare {
  readonly batchNo: number;
  readonly tenant: string;
  readonly weight: number;
  readonly deadline: Date;
  /** The number of lines of this batch that are in slices. */
  readonly outstanding: number;
  /** The number of lines that are not fed yet. */
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
 * A slice costs a job, a claim and a read: 3 ms of CPU time on the Postgres backend. At 25 slices per second, that cost
 * is negligible. Larger slices lose nothing, because each line has its own slot and a slice's lines run concurrently.
 */
const SLICES_PER_SECOND = 25;
/** The number of lines of a slice until a line's time is known. */
const FIRST_SLICE_LINES = 8;
/** The window holds twice the upstream's concurrency, or two seconds of its measured rate if that is more. */
const WINDOW_CONCURRENCIES = 2;
const WINDOW_SECONDS = 2;
/** If this many windows of lines wait for a later attempt, the upstream is not fed, because it only fails. */
const MAX_LATER_WINDOWS = 4;
/** The maximum number of bytes in the window. A single line may be longer. */
export const WINDOW_BYTES = 8 * 1024 * 1024;

/** Returns how many lines may be due at once. */
export function windowLines(window: FeedWindow): number {
  return Math.max(
    1,
    Math.ceil(Math.max(WINDOW_CONCURRENCIES * window.concurrency, WINDOW_SECONDS * window.linesPerSecond)),
  );
}

/** Returns the number of lines of one slice: 1 for a slow upstream, up to 64 for one that answers in milliseconds. */
export function sliceLines(window: FeedWindow): number {
  if (window.sliceLines !== null) return window.sliceLines;
  const byTime = window.lineMs === null ? FIRST_SLICE_LINES : SLICE_MS / Math.max(window.lineMs, 1);
  // Uses the possible rate, not the measured rate: a worker that small slices slow down would get even smaller slices.
  const perSecond = window.lineMs === null ? 0 : (window.concurrency * 1_000) / Math.max(window.lineMs, 1);
  const byThroughput = perSecond / SLICES_PER_SECOND;
  const byLimit =
    window.requestsPerMinute === null ? MAX_SLICE_LINES : (window.requestsPerMinute / 60) * (SLICE_MS / 1_000);
  return Math.max(1, Math.min(MAX_SLICE_LINES, Math.floor(Math.max(byTime, byThroughput)), Math.floor(byLimit)));
}

/**
 * Fills the window with runs. Each run goes to the tenant with the fewest lines in slices relative to its weight.
 * Within the tenant, it goes to the batch with the fewest lines in slices. If two batches have equally few, it goes to
 * the earlier deadline. So a batch of 3 lines is fed immediately, even beside a batch of 50,000, and waiting batches
 * get equal shares. This is deficit round robin without a memory: the lines in slices are the deficit
 * (docs/adr/0006-fair-share-without-a-memory.md).
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
  /** The index in the list of shares, which is the last tie-breaker. */
  readonly place: number;
  outstanding: number;
  left: number;
}

interface WaitingTenant {
  /** The number of lines in slices, divided by the tenant's weight. */
  weighted: number;
  /** The batches that have lines left, in the order in which they are fed. */
  readonly batches: WaitingBatch[];
}

/** Returns the tenants that have lines left, in the order in which they are fed. */
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
 * Inserts by binary search, because a search through all batches for each slice would block the event loop for large
 * windows.
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
