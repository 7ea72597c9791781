/** The registered workers: their heartbeats, the slices of dead workers, and turns at periodic tasks. */
import type { Db, Queryable } from "../pool.ts";
import { withTx } from "../tx.ts";

export interface WorkerRow {
  readonly id: string;
  readonly heartbeat: number;
  readonly host: string;
  readonly pid: number;
}

/** Registers a worker. Rejects if its id is taken. */
export async function registerWorker(db: Queryable, worker: { id: string; host: string; pid: number }): Promise<void> {
  await db.query("/* workers.register */ insert into workers (id, host, pid) values ($1, $2, $3)", [
    worker.id,
    worker.host,
    worker.pid,
  ]);
}

/** Returns false if the worker was declared dead. The worker must then register again under a new id. */
export async function recordHeartbeat(db: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    "/* workers.heartbeat */ update workers set heartbeat = heartbeat + 1 where id = $1",
    [id],
  );
  return rowCount === 1;
}

/**
 * Returns all registered workers, in no particular order. An observer that calls this twice sees which heartbeats have
 * stopped.
 */
export async function listWorkers(db: Queryable): Promise<WorkerRow[]> {
  const { rows } = await db.query<WorkerRow>("/* workers.list */ select id, heartbeat, host, pid from workers");
  return rows;
}

/** Removes workers. The next `freeOrphans` frees their slices. */
export async function removeWorkers(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query("/* workers.remove */ delete from workers where id = any($1)", [ids]);
}

/**
 * Frees the slices and permits of owners that are not registered. A freed slice has a new `gen`, so its older jobs are
 * stale. Skips rows that a recorder has locked; the next call frees them. Returns the number of freed slices.
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

/**
 * Takes the turn at a task that one worker at a time should run. Returns true at most once every `everyMs` over all
 * workers, by the database's clock.
 */
export async function takeTurn(db: Queryable, name: string, everyMs: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* turns.take */
    insert into turns as t (name, taken_at) values ($1, clock_timestamp())
    on conflict (name) do update set taken_at = excluded.taken_at
      where t.taken_at < excluded.taken_at - $2 * interval '1 millisecond'`,
    [name, everyMs],
  );
  return rowCount === 1;
}
