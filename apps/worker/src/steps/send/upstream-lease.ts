/**
 * This worker's lease of an upstream's limits. One short transaction renews it a few times per second while lines are
 * in hand, and immediately when lines arrive at a worker that holds no permits.
 */
import type { Lease, LeaseRequest, Measured } from "@nightshift/db";
import type { Logger } from "@nightshift/service";
import type { Cost } from "./cost.ts";
import { createLeaseCredits } from "./lease-credits.ts";
import { createLeaseRenewal } from "./lease-renewal.ts";
import { createLeaseShare, type LaneLoad } from "./lease-share.ts";
import { createReplyStats } from "./reply-stats.ts";

export interface UpstreamLease {
  permits(): number;
  /** True if a line of that cost may be sent now. */
  mayTake(cost: Cost): boolean;
  /** Takes the cost of a line: its slots until `release`, and its request credits permanently. */
  take(cost: Cost): void;
  /** Frees the slots of a line whose reply has arrived. */
  release(cost: Cost): void;
  /** Returns how long this worker must not send, from now. */
  pausedMs(): number;
  /** Notes the work that is in hand now, and renews the lease if needed. */
  report(load: LaneLoad): void;
  noteReply(tookMs: number, wasThrottled: boolean): void;
  /** Pauses the upstream for all workers. */
  pause(ms: number): void;
  /** Drops all permits and credits, because the worker continues under another id. */
  reset(): void;
  /** Calls `listener` after each renewal, when more may be sent than before. There is one listener. */
  onGrant(listener: () => void): void;
  close(): void;
}

/** The upstream's limits, which all workers share. */
export interface SharedLimits {
  lease(worker: string, request: LeaseRequest, measured: Measured): Promise<Lease>;
  /** Stops all workers from sending to the upstream for `ms` from now. */
  pause(ms: number): Promise<void>;
}

export interface UpstreamLeaseDeps {
  readonly limits: SharedLimits;
  readonly upstream: string;
  readonly workerId: () => string;
  readonly logger: Pick<Logger, "warn">;
}

const RENEW_MS = 150;
/**
 * The interval for a worker that has lines but no permit. Other workers give back their excess with their next lease.
 */
const FIRST_PERMIT_MS = 25;
/** A worker that has not renewed for this long sends nothing, because other workers may have its permits. */
const LEASE_VALID_MS = 8_000;
/** A hundred lines that get the same 429 cause one pause. */
const SAME_PAUSE_MS = 100;

const NO_COST: Cost = { requests: 0, slots: 0 };

export function createUpstreamLease({ limits, upstream, workerId, logger }: UpstreamLeaseDeps): UpstreamLease {
  const share = createLeaseShare();
  const credits = createLeaseCredits();
  const replies = createReplyStats();
  let load: LaneLoad = { unsent: NO_COST, waitingSlices: 0 };
  let pausedUntil = 0;
  let notify: () => void = () => undefined;

  const intervalMs = (): number | null => {
    if (!share.hasToRenew(load)) return null;
    const waitsForFirstPermit = load.unsent.slots > 0 && share.permits() === 0 && performance.now() >= pausedUntil;
    return waitsForFirstPermit ? FIRST_PERMIT_MS : RENEW_MS;
  };

  const toRequest = (isInNeed: boolean): { request: LeaseRequest; measured: Measured } => {
    const { answered, throttled, lineMs, linesPerSecond } = replies.take();
    const request = {
      wantedPermits: isInNeed ? share.wanted(load) : 0,
      ceiling: share.ceiling(),
      wantedCredits: credits.wanted(load.unsent, share.permits()),
      hasWaited: credits.hasWaited(load.unsent),
      throttled,
      answered,
    };
    return { request, measured: { linesPerSecond, lineMs } };
  };

  const renew = async (): Promise<void> => {
    const worker = workerId();
    const isInNeed = share.isInNeed();
    if (!isInNeed) share.stopUsing();
    credits.lapse(isInNeed ? load.unsent : NO_COST);
    const { request, measured } = toRequest(isInNeed);
    try {
      const lease = await limits.lease(worker, request, measured);
      // The lease belongs to an id that this worker has lost.
      if (worker !== workerId()) return;
      share.set(lease.permits, lease.held);
      credits.add(lease.credits, load.unsent);
      pausedUntil = Math.max(pausedUntil, performance.now() + lease.pausedMs);
    } catch (error) {
      logger.warn({ err: error, upstream }, "could not renew the lease of an upstream's limits");
    }
  };

  const renewal = createLeaseRenewal({
    intervalMs,
    renew,
    onRenewed: () => {
      notify();
    },
  });

  return {
    permits: () => share.permits(),
    mayTake: (cost) =>
      performance.now() >= pausedUntil &&
      share.hasRoomFor(cost) &&
      renewal.ageMs() <= LEASE_VALID_MS &&
      credits.cover(cost),
    take(cost) {
      share.take(cost);
      credits.spend(cost);
    },
    release(cost) {
      share.release(cost);
    },
    pausedMs: () => Math.max(0, pausedUntil - performance.now()),
    report(next) {
      load = next;
      share.noteLoad(next);
      renewal.schedule();
    },
    noteReply(tookMs, wasThrottled) {
      replies.note(tookMs, wasThrottled);
    },
    pause(ms) {
      const until = performance.now() + ms;
      if (until <= pausedUntil + SAME_PAUSE_MS) return;
      pausedUntil = until;
      limits.pause(ms).catch((error: unknown) => {
        logger.warn({ err: error, upstream }, "could not pause an upstream for all workers");
      });
    },
    reset() {
      share.set(0, 0);
      credits.drop();
    },
    onGrant(listener) {
      notify = listener;
    },
    close() {
      renewal.close();
    },
  };
}
