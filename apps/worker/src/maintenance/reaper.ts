/** Frees the slices of dead workers. Every worker watches all other workers, timed by its own monotonic clock. */
import { freeOrphans, listWorkers, removeWorkers, type Db, type WorkerRow } from "@nightshift/db";
import type { Logger } from "@nightshift/service";
import { isProcessAlive } from "./worker-identity.ts";

export interface Reaper {
  /** Checks all workers once. Returns the number of slices that it freed. */
  look(): Promise<number>;
}

export interface ReaperDeps {
  readonly db: Db;
  readonly logger: Logger;
  readonly host: string;
  readonly monotonicMs: () => number;
}

/** A worker is dead if its heartbeat does not change for this long, while the reaper can read the heartbeats. */
const DEAD_MS = 10_000;
/**
 * If two looks are further apart than this, the reaper forgets all sightings, because Postgres was unavailable or this
 * process was suspended.
 */
const BLIND_MS = 4_000;

interface Sighting {
  readonly heartbeat: number;
  readonly since: number;
}

export function createReaper(deps: ReaperDeps): Reaper {
  let sightings = new Map<string, Sighting>();
  let lastLook = -Infinity;

  return {
    async look() {
      const workers = await listWorkers(deps.db);
      const now = deps.monotonicMs();
      if (now - lastLook > BLIND_MS) sightings = new Map();
      lastLook = now;
      sightings = new Map(
        workers.map((worker) => {
          const seen = sightings.get(worker.id);
          return [worker.id, seen?.heartbeat === worker.heartbeat ? seen : { heartbeat: worker.heartbeat, since: now }];
        }),
      );
      const dead = workers.filter((worker) => isDead(worker, now));
      if (dead.length > 0) {
        deps.logger.warn({ workers: dead.map((worker) => worker.id) }, "workers died; other workers get their slices");
        await removeWorkers(
          deps.db,
          dead.map((worker) => worker.id),
        );
      }
      return freeOrphans(deps.db);
    },
  };

  function isDead(worker: WorkerRow, now: number): boolean {
    // On the same host, a missing process is dead at once. Elsewhere it is dead ten seconds after its last heartbeat.
    if (worker.host === deps.host && !isProcessAlive(worker.pid)) return true;
    return now - (sightings.get(worker.id)?.since ?? now) >= DEAD_MS;
  }
}
