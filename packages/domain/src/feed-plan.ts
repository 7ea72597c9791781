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
  /** The place among the shares: the last tie-breaker. */
  readonly place: number;
  outstanding: number;
  left: number;
}

interface WaitingTenant {
  /** Lines that are out, divided by the tenant's weight. */
  weighted: number;
  /** Batches with lines left, the next one first. */
  readonly batches: WaitingBatch[];
}

/** The tenants with lines left, the next one first. */
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

/** Keeps each step at a binary search and one short move: searching all batches for each slice blocked the event loop. */
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
