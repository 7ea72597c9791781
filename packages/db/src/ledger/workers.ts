/** Who works: heartbeats, and what happens to the slices of those whose heartbeat stopped. */
import type { Db, Queryable } from "../pool.ts";
import { withTx } from "../tx.ts";

export interface WorkerRow {
  readonly id: string;
  readonly heartbeat: number;
  readonly host: string;
  readonly pid: number;
}

/** Puts a worker on the list. Rejects where there is one with its id. */
export async function registerWorker(db: Queryable, worker: { id: string; host: string; pid: number }): Promise<void> {
  await db.query("/* workers.register */ insert into workers (id, host, pid) values ($1, $2, $3)", [
    worker.id,
    worker.host,
    worker.pid,
  ]);
}

/** False where the worker was declared dead: it must go on under a new id. */
export async function recordHeartbeat(db: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    "/* workers.heartbeat */ update workers set heartbeat = heartbeat + 1 where id = $1",
    [id],
  );
  return rowCount === 1;
}

/** All that are on the list, in no particular order. Whether a heartbeat has stopped, the observer tells by looking twice. */
export async function listWorkers(db: Queryable): Promise<WorkerRow[]> {
  const { rows } = await db.query<WorkerRow>("/* workers.list */ select id, heartbeat, host, pid from workers");
  return rows;
}

/** Takes a worker off the list; its slices are free from then on, by `freeOrphans`. */
export async function removeWorkers(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query("/* workers.remove */ delete from workers where id = any($1)", [ids]);
}

/**
 * Frees the slices and permits of owners that are not on the list of workers. A freed slice has a new `gen`, so whatever
 * the queue still holds of it is stale. Rows that somebody is recording at this moment are left for the next call.
 */
export async function freeOrphans(db: Db): Promise<number> {
  return withTx(db, async (tx) => {
    await tx.query("/* permits.free_orphans */ delete from permits where worker not in (select id from workers)");
    const { rowCount } = await tx.query(
      `/* ledger.free_orphans */
      update slices set owner = null, gen = gen + 1
      where slice_no in (
        select slice_no from slices where owner is not null and owner not in (select id from workers)
        order by slice_no for no key update skip locked)`,
    );
    return rowCount ?? 0;
  });
}
