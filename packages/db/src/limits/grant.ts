/** Shares an upstream's limits between workers. Pure arithmetic, so that it can be tested without a database. */

export interface UpstreamState {
  readonly concurrency: number;
  /** The concurrency that the upstream currently handles: at most `concurrency`, at least 1. */
  readonly concurrencyNow: number;
  readonly requestsPerMinute: number | null;
  /** The number of requests that could be sent immediately, `sinceRefillMs` ago. */
  readonly credits: number;
  readonly sinceRefillMs: number;
  readonly sinceShrinkMs: number;
  /** The number of permits that other workers hold. */
  readonly heldByOthers: number;
  /** The permits that each other worker with lines could use. */
  readonly othersWanted: readonly number[];
  /** The number of other workers with lines that hold no permit. */
  readonly othersWithout: number;
}

export interface LeaseRequest {
  /** The number of permits that this worker could use. 0 if it has had no lines for a while and holds no permits. */
  readonly wantedPermits: number;
  /**
   * The number of lines that may be in flight before the worker reads the answer: the lines in flight now, plus the
   * lines that it may still send.
   */
  readonly ceiling: number;
  /** The number of requests that the worker could send now if it had credits. */
  readonly wantedCredits: number;
  /** True if lines have waited for credits since the last lease. */
  readonly hasWaited: boolean;
  /**
   * The number of replies since the last lease: throttled replies (429, 503, connection refused), and all other
   * replies.
   */
  readonly throttled: number;
  readonly answered: number;
}

export interface Grant {
  /** The number of lines that this worker may have in flight. Less than it has now if it must give permits back. */
  readonly permits: number;
  /**
   * The number of permits that count as taken until the next lease. Covers all lines that may be in flight before the
   * worker reads this answer.
   */
  readonly held: number;
  readonly credits: number;
  readonly creditsLeft: number;
  readonly concurrencyNow: number;
  readonly hasShrunk: boolean;
}

/**
 * The bucket refills at 98 % of the configured rate and holds a quarter of a second. Upstreams count requests in
 * windows that we cannot see, and answer a burst after an idle minute with 429. At 600 requests per minute we measured
 * no 429, and 97 % of the rate was used.
 */
const REFILL_SHARE = 0.98;
const BURST_SECONDS = 0.25;
/**
 * The bucket of a worker whose lines have waited since its last lease. On a busy machine leases come late, and the
 * worker may catch up on the requests that it missed. With a bucket of a quarter of a second, a load of 14 on two cores
 * cost 10 % of the rate.
 */
const CATCH_UP_SECONDS = 1;

const SHRINK = 0.7;
const SHRINK_PAUSE_MS = 1_000;
/**
 * The number of permits regained with each lease (5 to 10 per second) after which the upstream answered without
 * throttling.
 */
const GROWTH = 1;

/** Computes one lease. In any order of leases and sends, at most `concurrency` lines are in flight. */
export function grant(state: UpstreamState, request: LeaseRequest): Grant {
  const hasShrunk = request.throttled > 0 && state.sinceShrinkMs >= SHRINK_PAUSE_MS;
  const concurrencyNow = nextConcurrency(state, request, hasShrunk);
  const permits = grantedPermits(state, request, Math.floor(concurrencyNow));
  return {
    permits,
    held: Math.max(permits, request.ceiling),
    concurrencyNow,
    hasShrunk,
    ...grantedCredits(state, request),
  };
}

/**
 * Additive increase, multiplicative decrease. At most one decrease per second, because many 429s at once are one event.
 */
function nextConcurrency(state: UpstreamState, request: LeaseRequest, hasShrunk: boolean): number {
  if (hasShrunk) return Math.max(1, Math.min(state.concurrency, state.concurrencyNow * SHRINK));
  const grown = request.throttled === 0 && request.answered > 0 ? state.concurrencyNow + GROWTH : state.concurrencyNow;
  return Math.max(1, Math.min(state.concurrency, grown));
}

/**
 * Each worker with lines gets an equal share, plus the unused shares of other workers, as far as permits are free.
 * Under contention a worker keeps at most the permits that it asked for. Shares are rounded up, so the last worker
 * could get nothing: a worker with more than one permit leaves one for each worker that holds none.
 */
function grantedPermits(state: UpstreamState, request: LeaseRequest, concurrency: number): number {
  if (request.wantedPermits === 0) return 0;
  const share = Math.ceil(concurrency / (state.othersWanted.length + 1));
  const unused = state.othersWanted.reduce((sum, wanted) => sum + Math.max(0, share - wanted), 0);
  const isContended = state.othersWanted.some((wanted) => wanted > share);
  const due = isContended ? Math.min(share + unused, request.wantedPermits) : share + unused;
  const free = concurrency - state.heldByOthers;
  return Math.max(0, Math.min(due, free, Math.max(1, free - state.othersWithout)));
}

function grantedCredits(state: UpstreamState, request: LeaseRequest): { credits: number; creditsLeft: number } {
  if (state.requestsPerMinute === null) return { credits: 0, creditsLeft: 0 };
  const perSecond = (state.requestsPerMinute / 60) * REFILL_SHARE;
  const bucket = Math.max(1, perSecond * (request.hasWaited ? CATCH_UP_SECONDS : BURST_SECONDS));
  const filled = Math.min(bucket, state.credits + (perSecond * state.sinceRefillMs) / 1_000);
  const credits = Math.min(Math.max(0, request.wantedCredits), Math.floor(filled));
  return { credits, creditsLeft: filled - credits };
}
