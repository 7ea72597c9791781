/** All upstreams of this worker: a client, a lease and a lane for each, opened and closed together. */
import type { Db } from "@nightshift/db";
import type { Logger } from "@nightshift/service";
import { openUpstreamClient, type Routes, type UpstreamSettings } from "@nightshift/upstream";
import type { Clock } from "../../deps.ts";
import type { WorkerMetrics } from "../../metrics.ts";
import type { Recorder } from "../../results/recorder.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { createUpstreamLane, type UpstreamLane } from "./upstream-lane.ts";
import { createUpstreamLease, type UpstreamLease } from "./upstream-lease.ts";

export interface Lanes {
  readonly all: readonly UpstreamLane[];
  /** Sends what may be sent: there is room in the byte budget again. */
  pump(): void;
  /** Lets go of all that the ledger counts under an id which is not this worker's any more. */
  loseIdentity(): void;
  close(): Promise<void>;
}

export interface LanesDeps {
  readonly db: Db;
  readonly routes: Routes;
  readonly recorder: Recorder;
  readonly budget: ByteBudget;
  readonly metrics: WorkerMetrics;
  readonly workerId: () => string;
  readonly logger: Logger;
  readonly clock: Clock;
}

export function openLanes(deps: LanesDeps): Lanes {
  const leases: UpstreamLease[] = [];
  const closers: (() => Promise<void>)[] = [];

  const openLane = (settings: UpstreamSettings): UpstreamLane => {
    const client = openUpstreamClient(settings);
    const lease = createUpstreamLease({
      db: deps.db,
      upstream: settings.name,
      workerId: deps.workerId,
      logger: deps.logger,
      onGranted: () => {
        lane.pump();
      },
    });
    const lane = createUpstreamLane({ ...deps, settings, client, lease });
    leases.push(lease);
    closers.push(() => client.close());
    return lane;
  };

  const all = deps.routes.upstreams.map(openLane);
  return {
    all,
    pump() {
      for (const lane of all) lane.pump();
    },
    loseIdentity() {
      for (const lane of all) lane.dropUnsent();
      for (const lease of leases) lease.reset();
    },
    async close() {
      for (const lease of leases) lease.close();
      await Promise.all(closers.map((close) => close()));
    },
  };
}
