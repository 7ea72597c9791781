/** What follows a commit of results: the queue hears of it. Whatever gets lost here, the reconciler finds in Postgres. */
import type { Recorded } from "@nightshift/db";
import type { JobQueues } from "@nightshift/queue";
import type { SliceQueue } from "../ledger/enqueue-slices.ts";
import type { WorkerMetrics } from "../metrics.ts";
import type { Timers } from "../timers.ts";
import type { WrittenLine } from "./segment.ts";

export interface AfterRecordDeps {
  readonly queues: JobQueues;
  readonly slices: SliceQueue;
  readonly timers: Timers;
  readonly metrics: WorkerMetrics;
  /** Does the next step of a small batch at once. */
  readonly advanceNow: (batchNo: number) => void;
}

/**
 * A record is followed by a feed, but no sooner than this after the last one: each costs a job and a transaction, 6 ms of the
 * machine on the Postgres backend. The window lasts for two seconds once the upstream's rate is known, so feeds of a busy
 * upstream move apart; one that has been idle is fed quickly until then.
 */
const FIRST_FEED_MS = 40;
const MAX_FEED_MS = 250;
const FEED_GROWTH = 1.5;
const IDLE_MS = 1_000;

/** How long to wait with the next feed of an upstream. */
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

export function afterRecord(deps: AfterRecordDeps): (recorded: Recorded, finished: readonly WrittenLine[]) => void {
  const { queues, slices, timers } = deps;
  const pace = createFeedPace();
  return (recorded, finished) => {
    void slices.enqueue(recorded.slices);
    const small = new Set(finished.filter(({ task }) => !task.slice.isBulk).map(({ task }) => task.slice.batchNo));
    for (const batchNo of [...recorded.sealed, ...recorded.retried]) {
      // The reconciler advances a batch whose worker dies now.
      if (small.has(batchNo)) deps.advanceNow(batchNo);
      else timers.soon("advance a sealed batch", 0, () => queues.enqueue("batch.advance", { v: 1, batch_no: batchNo }));
    }
    for (const line of finished) count(deps, line);
    for (const upstream of new Set(finished.map((line) => line.task.slice.upstream))) {
      timers.once(
        `feed ${upstream}`,
        () => pace(upstream),
        () => queues.enqueue("upstream.feed", { v: 1, upstream }),
      );
    }
  };
}

function count({ queues, timers, metrics }: AfterRecordDeps, { task, outcome }: WrittenLine): void {
  const { upstream, batchNo, batchId, requestGen } = task.slice;
  const reason = outcome.exhaustedBy;
  if (reason === null) {
    metrics.lineRecorded(upstream, outcome.resultKind === "output" ? "completed" : "failed");
    return;
  }
  metrics.lineRecorded(upstream, "exhausted");
  timers.soon("park a failed line", 0, () =>
    queues.enqueue("line.failed", {
      v: 1,
      batch_no: batchNo,
      batch_id: batchId,
      line: task.line,
      request_gen: requestGen,
      reason,
    }),
  );
}
