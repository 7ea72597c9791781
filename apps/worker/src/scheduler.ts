/**
 * Enqueues the jobs that follow a step. No call fails. If a job cannot be enqueued, that is logged, and the reconciler
 * enqueues it later from Postgres.
 */
import type { WaitingSlice } from "@nightshift/db";
import type { JobPayload, JobQueues } from "@nightshift/queue";
import type { Logger } from "@nightshift/service";
import type { Timers } from "./timers.ts";
import type { DeliveryQueue } from "./webhooks/delivery-queue.ts";

export interface Scheduler {
  /**
   * Enqueues `slice.run` for each slice, after the slice's delay if it has one. Resolves without waiting for delays.
   */
  enqueueSlices(slices: readonly WaitingSlice[]): Promise<void>;
  /** Enqueues `batch.advance` after `delayMs`. */
  advanceSoon(batchNo: number, delayMs?: number): void;
  /** Enqueues `upstream.feed`, no sooner than the upstream's feed pace allows. */
  feedSoon(upstream: string): void;
  /** Enqueues `webhook.deliver` for the webhooks of a batch that has just ended. */
  deliverSoon(batchId: string): void;
  /** Enqueues `line.failed`, which adds the line to the queue `failed-lines`, where an admin can retry it. */
  parkFailedLine(line: Omit<JobPayload<"line.failed">, "v">): void;
}

export interface SchedulerDeps {
  readonly queues: JobQueues;
  readonly deliveries: Pick<DeliveryQueue, "enqueueOf">;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Added to the delay of a slice, so that the slice is due by the clock of Postgres when its job runs. */
const DELAY_MARGIN_MS = 5;

export function createScheduler({ queues, deliveries, timers, logger }: SchedulerDeps): Scheduler {
  const feedDelayMs = createFeedPace();

  const enqueueNow = async (slices: readonly WaitingSlice[]): Promise<void> => {
    for (const [upstream, some] of grouped(slices, (slice) => slice.upstream)) {
      try {
        await queues.enqueueSlices(upstream, some);
      } catch (error) {
        logger.warn({ err: error, upstream, slices: some.length }, "could not enqueue slices; the reconciler will");
      }
    }
  };

  return {
    async enqueueSlices(slices) {
      const due = slices.filter((slice) => slice.delayMs === 0);
      const later = slices.filter((slice) => slice.delayMs > 0);
      for (const [delayMs, some] of grouped(later, (slice) => slice.delayMs)) {
        timers.soon("enqueue slices", delayMs + DELAY_MARGIN_MS, () => enqueueNow(some));
      }
      if (due.length > 0) await enqueueNow(due);
    },
    advanceSoon(batchNo, delayMs = 0) {
      timers.soon("enqueue a batch", delayMs, () => queues.enqueue("batch.advance", { v: 1, batch_no: batchNo }));
    },
    feedSoon(upstream) {
      timers.once(
        `enqueue the feed of ${upstream}`,
        () => feedDelayMs(upstream),
        () => queues.enqueue("upstream.feed", { v: 1, upstream }),
      );
    },
    deliverSoon(batchId) {
      timers.soon("enqueue the webhooks of a batch", 0, () => deliveries.enqueueOf(batchId));
    },
    parkFailedLine(line) {
      timers.soon("enqueue a failed line", 0, () => queues.enqueue("line.failed", { v: 1, ...line }));
    },
  };
}

/**
 * A feed costs a job and a transaction: 6 ms of CPU time on the Postgres backend. Once the rate of the upstream is
 * known, the window holds two seconds of lines, so the interval between the feeds of a busy upstream can grow. After an
 * idle time, the interval starts again at FIRST_FEED_MS.
 */
const FIRST_FEED_MS = 40;
const MAX_FEED_MS = 250;
const FEED_GROWTH = 1.5;
const IDLE_MS = 1_000;

/** Returns how long the next feed of an upstream has to wait. */
function createFeedPace(): (upstream: string) => number {
  const paces = new Map<string, { delayMs: number; askedAt: number }>();
  return (upstream) => {
    const now = performance.now();
    const pace = paces.get(upstream);
    const isBusy = pace !== undefined && now - pace.askedAt < pace.delayMs + IDLE_MS;
    const delayMs = isBusy ? Math.min(MAX_FEED_MS, pace.delayMs * FEED_GROWTH) : FIRST_FEED_MS;
    paces.set(upstream, { delayMs, askedAt: now });
    return delayMs;
  };
}

function grouped<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
