/** Leases an upstream's limits to a worker, a few times per second, so that single lines do not need a query. */
import type { Db, Tx } from "../pool.ts";
import { withTx } from "../tx.ts";
import { grant, type LeaseRequest, type UpstreamState } from "./grant.ts";

export interface Lease {
  /** The number of lines that this worker may have in flight until the next lease. */
  readonly permits: number;
  /** The number of permits that count as taken. If it is above `permits`, a later lease gives back the difference. */
  readonly held: number;
  /** The number of requests that this worker may send. Null if the upstream has no rate limit. */
  readonly credits: number | null;
  /** The time until the end of the upstream's pause. 0 if the upstream is not paused. */
  readonly pausedMs: number;
}

export interface Measured {
  /** The lines per second of this worker since the last lease. */
  readonly linesPerSecond: number;
  /** The mean time of the lines that returned since the last lease. Null if no line returned. */
  readonly lineMs: number | null;
}

/** Weight of the newest measurement in the moving average of a line's time. */
const NEWEST_WEIGHT = 0.2;

interface UpstreamRow {
  concurrency: number;
  concurrencyNow: number;
  requestsPerMinute: number | null;
  credits: number;
  sinceRefillMs: number;
  sinceShrinkMs: number;
  pausedMs: number;
}

/**
 * Leases the requested permits and credits, as far as other workers do not hold them, under the lock of the upstream's
 * row. Stores the worker's measurements. Grants no credits while the upstream is paused. Rejects if the upstream was
 * never declared.
 */
export async function leaseUpstream(
  db: Db,
  upstream: string,
  worker: string,
  request: LeaseRequest,
  measured: Measured,
): Promise<Lease> {
  return withTx(db, async (tx) => {
    const row = await lockUpstream(tx, upstream);
    const others = await othersPermits(tx, upstream, worker);
    const state: UpstreamState = { ...row, ...others };
    const isPaused = row.pausedMs > 0;
    const granted = grant(state, isPaused ? { ...request, wantedCredits: 0 } : request);
    await tx.query(
      `/* limits.write_upstream */
      update upstreams set request_credits = $2, refilled_at = clock_timestamp(), concurrency_now = $3,
        shrunk_at = case when $4 then clock_timestamp() else shrunk_at end,
        line_ms = case when $5::real is null then line_ms else coalesce(line_ms, $5) * $6 + $5 * $7 end
      where name = $1`,
      [
        upstream,
        granted.creditsLeft,
        granted.concurrencyNow,
        granted.hasShrunk,
        measured.lineMs,
        1 - NEWEST_WEIGHT,
        NEWEST_WEIGHT,
      ],
    );
    await tx.query(
      `/* limits.write_permits */
      insert into permits (upstream, worker, held, wanted, lines_per_second) values ($1, $2, $3, $4, $5)
      on conflict (upstream, worker) do update set held = excluded.held, wanted = excluded.wanted,
        lines_per_second = excluded.lines_per_second`,
      [upstream, worker, granted.held, request.wantedPermits, measured.linesPerSecond],
    );
    const credits = row.requestsPerMinute === null ? null : granted.credits;
    return { permits: granted.permits, held: granted.held, credits, pausedMs: row.pausedMs };
  });
}

async function lockUpstream(tx: Tx, upstream: string): Promise<UpstreamRow> {
  const { rows } = await tx.query<UpstreamRow>(
    `/* limits.lock_upstream */
    select concurrency, concurrency_now::float8 as "concurrencyNow", requests_per_minute as "requestsPerMinute",
      request_credits as credits,
      least(60000, extract(epoch from clock_timestamp() - refilled_at) * 1000)::float8 as "sinceRefillMs",
      least(60000, extract(epoch from clock_timestamp() - greatest(shrunk_at, '2000-01-01')) * 1000)::float8
        as "sinceShrinkMs",
      case when paused_until > clock_timestamp()
        then ceil(extract(epoch from paused_until - clock_timestamp()) * 1000)::float8 else 0 end as "pausedMs"
    from upstreams where name = $1 for no key update`,
    [upstream],
  );
  if (rows[0] === undefined) throw new Error(`upstream ${upstream} was never declared`);
  return rows[0];
}

type OthersPermits = Pick<UpstreamState, "heldByOthers" | "othersWanted" | "othersWithout">;

async function othersPermits(tx: Tx, upstream: string, worker: string): Promise<OthersPermits> {
  const { rows } = await tx.query<OthersPermits>(
    `/* limits.others */
    select coalesce(sum(held), 0)::int as "heldByOthers",
      coalesce(array_agg(wanted) filter (where wanted > 0), '{}') as "othersWanted",
      (count(*) filter (where wanted > 0 and held = 0))::int as "othersWithout"
    from permits where upstream = $1 and worker <> $2`,
    [upstream, worker],
  );
  return rows[0] ?? { heldByOthers: 0, othersWanted: [], othersWithout: 0 };
}
