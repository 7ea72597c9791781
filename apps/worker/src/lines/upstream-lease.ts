/**
 * This worker's share of an upstream's limits. Renewed a few times a second while there are lines in hand, in one short
 * transaction, and at once when lines come to a worker that holds nothing.
 */
import { leaseUpstream, pauseUpstream, type Db } from "@nightshift/db";
import type { Logger } from "@nightshift/service";

export interface LaneLoad {
  readonly unsent: number;
  readonly inFlight: number;
  /** Slices that wait for room. */
  readonly waiting: number;
}

export interface UpstreamLease {
  permits(): number;
  /** Takes the right to send one more line while `inFlight` are under way; false where there is none. */
  mayTake(inFlight: number): boolean;
  /** How long this worker must not send, from now. */
  pausedMs(): number;
  /** What is in hand now; asks for a lease where it is needed. */
  report(load: LaneLoad): void;
  noteReply(tookMs: number, wasThrottled: boolean): void;
  /** Pauses the upstream for everybody. */
  pause(ms: number): void;
  /** Forgets what is held: the worker goes on under another id. */
  reset(): void;
  close(): void;
}

export interface UpstreamLeaseDeps {
  readonly db: Db;
  readonly upstream: string;
  readonly workerId: () => string;
  readonly logger: Logger;
  /** Called when more may be sent than before. */
  readonly onGranted: () => void;
}

const RENEW_MS = 150;
/** The same for a worker that has lines and holds nothing yet: others give back their excess with their next lease. */
const HURRY_MS = 25;
/** A worker between two slices is still in need: without this, permits would come and go with every gap. */
const NEED_MS = 1_000;
/** More than any upstream has: as many as there are. */
const ALL_PERMITS = 1_000_000;
/** Credits that a worker asks for before it knows how many permits it gets. */
const FIRST_CREDITS = 64;
/** Weight of the newest interval in the running rate. */
const NEWEST_RATE = 0.3;
/** A worker that cannot renew for so long sends nothing more: others may have its permits by then. */
const LEASE_VALID_MS = 8_000;

export function createUpstreamLease(deps: UpstreamLeaseDeps): UpstreamLease {
  let permits = 0;
  /** What Postgres counts as ours. */
  let held = 0;
  let credits: number | null = 0;
  /** True where the last lease brought fewer credits than there were lines. */
  let hasWaited = false;
  let pausedUntil = 0;
  let renewedAt = -Infinity;
  let load: LaneLoad = { unsent: 0, inFlight: 0, waiting: 0 };
  let linesPerSecond = 0;
  let busyAt = -Infinity;
  let replies = { answered: 0, throttled: 0, totalMs: 0 };
  let repliesSince = performance.now();
  let timer: NodeJS.Timeout | null = null;
  let isRenewing = false;
  let isClosed = false;

  const isStarved = (): boolean => load.unsent > 0 && permits === 0 && performance.now() >= pausedUntil;
  const isNeeded = (): boolean => load.unsent + load.inFlight + load.waiting > 0 || permits > 0 || held > 0;

  /** A worker whose lines are all in flight leaves the rest of its share to those that have more. */
  const wantedPermits = (isInNeed: boolean): number => {
    if (!isInNeed) return 0;
    return load.unsent + load.waiting > 0 ? ALL_PERMITS : Math.max(1, load.inFlight);
  };

  const schedule = (): void => {
    if (isClosed || isRenewing || !isNeeded()) return;
    const interval = isStarved() ? HURRY_MS : RENEW_MS;
    const due = Math.max(0, renewedAt + interval - performance.now());
    if (timer !== null) {
      if (interval === RENEW_MS) return;
      clearTimeout(timer);
    }
    timer = setTimeout(() => {
      timer = null;
      void renew();
    }, due);
  };

  /** What this worker cannot use lapses: a hoard would be a burst later. */
  const lapse = (isInNeed: boolean): void => {
    if (credits !== null) credits = isInNeed ? Math.min(credits, load.unsent) : 0;
    if (!isInNeed) permits = 0;
  };

  /** Replies since the last lease, which move the running rate. */
  const takeReplies = (): typeof replies => {
    const seen = replies;
    const seconds = Math.max(0.001, (performance.now() - repliesSince) / 1_000);
    replies = { answered: 0, throttled: 0, totalMs: 0 };
    repliesSince = performance.now();
    linesPerSecond = linesPerSecond * (1 - NEWEST_RATE) + (seen.answered / seconds) * NEWEST_RATE;
    // An idle worker's rate would shrink below what a `real` of Postgres holds.
    if (linesPerSecond < 0.001) linesPerSecond = 0;
    return seen;
  };

  const renew = async (): Promise<void> => {
    isRenewing = true;
    const worker = deps.workerId();
    const isInNeed = performance.now() - busyAt < NEED_MS;
    lapse(isInNeed);
    const seen = takeReplies();
    try {
      const lease = await leaseUpstream(
        deps.db,
        deps.upstream,
        worker,
        {
          wantedPermits: wantedPermits(isInNeed),
          ceiling: Math.max(load.inFlight, permits),
          wantedCredits: Math.min(load.unsent, permits > 0 ? permits : FIRST_CREDITS) - (credits ?? 0),
          hasWaited: hasWaited && load.unsent > 0,
          throttled: seen.throttled,
          answered: seen.answered,
        },
        {
          linesPerSecond,
          lineMs: seen.answered === 0 ? null : seen.totalMs / seen.answered,
        },
      );
      if (worker === deps.workerId()) {
        permits = lease.permits;
        held = lease.held;
        // Added to what is left of the old ones: some may have been used since the question was asked.
        credits = lease.credits === null ? null : lease.credits + (credits ?? 0);
        hasWaited = credits !== null && credits < load.unsent;
        pausedUntil = Math.max(pausedUntil, performance.now() + lease.pausedMs);
      }
    } catch (error) {
      deps.logger.warn({ err: error, upstream: deps.upstream }, "could not renew the lease of an upstream's limits");
    }
    renewedAt = performance.now();
    isRenewing = false;
    deps.onGranted();
    schedule();
  };

  return {
    permits: () => permits,
    mayTake(inFlight) {
      const now = performance.now();
      if (now < pausedUntil || inFlight >= permits || now - renewedAt > LEASE_VALID_MS) return false;
      if (credits === null) return true;
      if (credits < 1) return false;
      credits -= 1;
      return true;
    },
    pausedMs: () => Math.max(0, pausedUntil - performance.now()),
    report(next) {
      load = next;
      if (next.unsent + next.inFlight + next.waiting > 0) busyAt = performance.now();
      schedule();
    },
    noteReply(tookMs, wasThrottled) {
      if (wasThrottled) replies.throttled += 1;
      else {
        replies.answered += 1;
        replies.totalMs += tookMs;
      }
    },
    pause(ms) {
      const until = performance.now() + ms;
      // A hundred lines that meet the same 429 are one pause.
      if (until <= pausedUntil + 100) return;
      pausedUntil = until;
      pauseUpstream(deps.db, deps.upstream, ms).catch((error: unknown) => {
        deps.logger.warn({ err: error, upstream: deps.upstream }, "could not pause an upstream for everybody");
      });
    },
    reset() {
      permits = 0;
      held = 0;
      credits = credits === null ? null : 0;
    },
    close() {
      isClosed = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
