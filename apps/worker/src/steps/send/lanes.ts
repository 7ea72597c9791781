/** Opens and closes a client, a lease and a lane for each upstream of this worker. */
import { leaseUpstream, pauseUpstream, type Db } from "@nightshift/db";
import type { Logger } from "@nightshift/service";
import { openUpstreamClient, type Routes, type UpstreamClient, type UpstreamSettings } from "@nightshift/upstream";
import type { Clock } from "../../deps.ts";
import type { WorkerMetrics } from "../../metrics.ts";
import type { Recorder } from "../record/recorder.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { LinesInHand } from "./lines-in-hand.ts";
import { createUpstreamLane, type UpstreamLane } from "./upstream-lane.ts";
import { createUpstreamLease, type UpstreamLease } from "./upstream-lease.ts";

export interface Lanes {
  readonly all: readonly UpstreamLane[];
  /** Drops unsent lines and permits, because the ledger counts them under an id that this worker has lost. */
  loseIdentity(): void;
  close(): Promise<void>;
}

export interface LanesDeps {
  readonly db: Db;
  readonly routes: Routes;
  readonly recorder: Recorder;
  readonly budget: ByteBudget;
  readonly inHand: LinesInHand;
  readonly metrics: WorkerMetrics;
  readonly workerId: () => string;
  readonly logger: Logger;
  readonly clock: Clock;
}

interface OpenLane {
  readonly client: UpstreamClient;
  readonly lease: UpstreamLease;
  readonly lane: UpstreamLane;
}

export function openLanes(deps: LanesDeps): Lanes {
  const opened = deps.routes.upstreams.map((settings) => openLane(deps, settings));
  return {
    all: opened.map(({ lane }) => lane),
    loseIdentity() {
      for (const { lane } of opened) lane.dropUnsent();
      for (const { lease } of opened) lease.reset();
    },
    async close() {
      for (const { lease } of opened) lease.close();
      await Promise.all(opened.map(({ client }) => client.close()));
    },
  };
}

function openLane(deps: LanesDeps, settings: UpstreamSettings): OpenLane {
  const { db, workerId, logger } = deps;
  const upstream = settings.name;
  const limits = {
    lease: leaseUpstream.bind(null, db, upstream),
    pause: pauseUpstream.bind(null, db, upstream),
  };
  const client = openUpstreamClient(settings);
  const lease = createUpstreamLease({ limits, upstream, workerId, logger });
  return { client, lease, lane: createUpstreamLane({ ...deps, settings, client, lease }) };
}
