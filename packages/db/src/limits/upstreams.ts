/** The rows of upstreams: their configured limits, and a pause that all workers obey. */
import type { Queryable } from "../pool.ts";

export interface UpstreamLimits {
  readonly name: string;
  /** The maximum number of lines in flight, over all workers. */
  readonly concurrency: number;
  readonly requestsPerMinute: number | null;
  /** The number of lines in a slice, 1 to 64. Null if it is chosen from the measured time per line. */
  readonly sliceLines: number | null;
}

/**
 * Writes the configured limits. The process that starts last wins. Keeps learned values (pause, shrunk concurrency).
 */
export async function declareUpstream(db: Queryable, limits: UpstreamLimits): Promise<void> {
  await db.query(
    `/* upstreams.declare */
    insert into upstreams (name, concurrency, concurrency_now, requests_per_minute, slice_lines)
    values ($1, $2::int, $2::int, $3, $4)
    on conflict (name) do update set concurrency = excluded.concurrency,
      requests_per_minute = excluded.requests_per_minute, slice_lines = excluded.slice_lines,
      concurrency_now = case when upstreams.concurrency = excluded.concurrency then upstreams.concurrency_now
        else excluded.concurrency end`,
    [limits.name, limits.concurrency, limits.requestsPerMinute, limits.sliceLines],
  );
}

/** Stops all sends to the upstream for `delayMs`, by the database's clock. Keeps a longer pause. */
export async function pauseUpstream(db: Queryable, name: string, delayMs: number): Promise<void> {
  await db.query(
    `/* upstreams.pause */
    update upstreams set paused_until = greatest(paused_until, clock_timestamp() + $2 * interval '1 millisecond')
    where name = $1`,
    [name, delayMs],
  );
}
