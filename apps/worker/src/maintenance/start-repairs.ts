/** Starts the timers that repair the ledger and the queue after a failure of either. Every worker runs these timers. */
import { stoppedBatches, waitingSlices } from "@nightshift/db";
import type { Scheduler } from "../scheduler.ts";
import type { SliceClaims } from "../steps/claim/slice-claims.ts";
import type { Lanes } from "../steps/send/lanes.ts";
import type { LinesInHand } from "../steps/send/lines-in-hand.ts";
import type { Timers } from "../timers.ts";
import { createLostClaims } from "./lost-claims.ts";
import { createReaper } from "./reaper.ts";
import { MAINTENANCE_MS, reconcile, type ReconcilerDeps } from "./reconciler.ts";
import { processHost } from "./worker-identity.ts";

export interface RepairDeps extends Omit<ReconcilerDeps, "upstreams"> {
  readonly scheduler: Scheduler;
  readonly timers: Timers;
  readonly claims: SliceClaims;
  readonly lanes: Lanes;
  readonly inHand: LinesInHand;
  readonly workerId: () => string;
}

const REAP_MS = 1_000;
/** Time between two looks for lost claims. A slice is freed if both looks find it idle. */
const LOST_CLAIMS_MS = 5_000;
const RECONCILE_TICK_MS = 500;
const STOPPED_LOOK_MS = 400;
/** The maximum number of freed slices that are enqueued immediately. The reconciler enqueues all others. */
const MAX_FREED = 5_000;

export function startRepairs(deps: RepairDeps): void {
  const { db, logger, queues, timers } = deps;
  const upstreams = deps.lanes.all.map((lane) => lane.name);
  const reaper = createReaper({ db, logger, host: processHost(), monotonicMs: () => performance.now() });
  const lostClaims = createLostClaims(deps);

  timers.every("free the slices of dead workers", REAP_MS, async () => {
    if ((await reaper.look()) > 0) await enqueueFreed(deps);
  });
  timers.every("free lost claims", LOST_CLAIMS_MS, async () => {
    if ((await lostClaims.look()) > 0) await enqueueFreed(deps);
  });
  timers.every("reconcile", RECONCILE_TICK_MS, () => reconcile({ ...deps, upstreams }));
  timers.every("stop the lines of ended batches", STOPPED_LOOK_MS, () => stopLines(deps));
  timers.soon("schedule maintenance", 0, () => queues.schedule("maintenance.run", MAINTENANCE_MS));
}

async function enqueueFreed({ db, scheduler }: RepairDeps): Promise<void> {
  await scheduler.enqueueSlices(await waitingSlices(db, MAX_FREED));
}

/**
 * Gives unsent lines of cancelled or expired batches back to the ledger. Once such a batch is sealed, aborts its lines
 * in flight.
 */
async function stopLines({ db, inHand, lanes, clock }: RepairDeps): Promise<void> {
  const batches = inHand.batches();
  if (batches.length === 0) return;
  for (const { batchNo, isSealed } of await stoppedBatches(db, batches, clock())) {
    for (const lane of lanes.all) lane.giveBackUnsent(0, (task) => task.slice.batchNo === batchNo);
    if (isSealed) inHand.abort(batchNo);
  }
}
