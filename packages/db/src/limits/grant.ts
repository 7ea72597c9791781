/** How an upstream's limits are shared out: arithmetic only, so that it can be tested without a database. */

export interface UpstreamState {
  readonly concurrency: number;
  /** What the upstream bears at the moment: at most `concurrency`, at least 1. */
  readonly concurrencyNow: number;
  readonly requestsPerMinute: number | null;
  /** Requests that may be sent at once, as of `sinceRefillMs` ago. */
  readonly credits: number;
  readonly sinceRefillMs: number;
  readonly sinceShrinkMs: number;
  /** Permits that other workers hold. */
  readonly heldByOthers: number;
  /** What each of the other workers that have lines could use. */
  readonly othersWanted: readonly number[];
  /** Those in need that hold no permit at all. */
  readonly othersWithout: number;
}

export interface LeaseRequest {
  /** Permits that this worker could use. 0: it has had no lines for a while, and holds none. */
  readonly wantedPermits: number;
  /** Lines that may be in flight until the answer is read: those that are, and those that may be sent meanwhile. */
  readonly ceiling: number;
  /** Requests that could be sent now if there were credits. */
  readonly wantedCredits: number;
  /** True where lines have waited for credits ever since the last lease. */
  readonly hasWaited: boolean;
  /** Replies since the last lease: those that were throttled (429, 503, refused), and all others. */
  readonly throttled: number;
  readonly answered: number;
}

export interface Grant {
  /** Lines that this worker may bring in flight: fewer than it has there when it must give some back. */
  readonly permits: number;
  /** What counts against the others until the next lease: never less than may be in flight before this answer is read. */
  readonly held: number;
  readonly credits: number;
  readonly creditsLeft: number;
  readonly concurrencyNow: number;
  readonly hasShrunk: boolean;
}

/**
 * The bucket is refilled at 98 % of the configured rate, and holds no more than a quarter of a second: upstreams count in
 * windows that we do not see, and a burst after an idle minute is what earns a 429. Measured: at 600 a minute no 429
 * and 97 % of the rate used.
 */
const REFILL_SHARE = 0.98;
const BURST_SECONDS = 0.25;
/**
 * For a worker whose lines have waited all the while and that comes late for its lease, because its machine is busy: what
 * it catches up was its own. At a quarter of a second, a load of 14 on two cores cost a tenth of the rate.
 */
const CATCH_UP_SECONDS = 1;

const SHRINK = 0.7;
const SHRINK_PAUSE_MS = 1_000;
/** Permits that come back with each lease (5 to 10 a second) in which the upstream answered without throttling. */
const GROWTH = 1;

/** What a worker gets by one lease. Whatever the order of leases and sends, no more than `concurrency` lines are in flight. */
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

/** Additive increase, multiplicative decrease: at most one decrease a second, because a storm of 429s is one event. */
function nextConcurrency(state: UpstreamState, request: LeaseRequest, hasShrunk: boolean): number {
  if (hasShrunk) return Math.max(1, Math.min(state.concurrency, state.concurrencyNow * SHRINK));
  const grown = request.throttled === 0 && request.answered > 0 ? state.concurrencyNow + GROWTH : state.concurrencyNow;
  return Math.max(1, Math.min(state.concurrency, grown));
}

/**
 * An equal share among the workers that have lines, and what others leave of theirs; but while somebody wants more than a
 * share, nobody keeps what he cannot use, and never anything of what others still hold. Shares are rounded up, so the
 * last worker might find none left, with lines in hand: who has more than one permit leaves one for each that has none.
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
