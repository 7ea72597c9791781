/** How far batches are, and what they wait for: what a process reads once a second for each batch that somebody watches. */
import type { BatchStatus } from "@nightshift/domain";
import type { Queryable } from "../pool.ts";

export interface BatchProgress {
  batchNo: number;
  id: string;
  status: BatchStatus;
  inProgressAt: Date | null;
  total: number;
  completed: number;
  failed: number;
  /** Grows with each commit of results. */
  seq: number;
  /** No result is recorded any more, but for lines that are asked for again. */
  isSealed: boolean;
  /** The upstream takes nothing before; null: it is not paused. By the database's clock. */
  pausedUntil: Date | null;
  /** A worker has lines of the batch. */
  isInHand: boolean;
  /** The next attempt of the earliest line that is not in hand; null when a line is due now or all of them are parked. */
  dueAt: Date | null;
  /** It waits for its tenant's other batches: the tier lets no more run at once (docs/tenants.md). */
  isQueued: boolean;
  /** Any worker is signed on. */
  hasWorkers: boolean;
}

/** One entry for each of these batches that exists, in no particular order. */
export async function batchProgress(db: Queryable, numbers: readonly number[]): Promise<BatchProgress[]> {
  const { rows } = await db.query<BatchProgress>(
    `/* batches.progress */
    select b.batch_no as "batchNo", b.id, b.status, b.in_progress_at as "inProgressAt", b.total, p.completed, p.failed, p.seq,
      p.sealed_at is not null as "isSealed",
      case when u.paused_until > clock_timestamp() and isfinite(u.paused_until) then u.paused_until end as "pausedUntil",
      coalesce(s.in_hand, false) as "isInHand",
      case when s.due_at > clock_timestamp() and isfinite(s.due_at) then s.due_at end as "dueAt",
      b.status = 'validating' and b.admitted_at is null and b.queued_at is not null as "isQueued",
      exists (select 1 from workers) as "hasWorkers"
    from batches b join batch_progress p on p.batch_no = b.batch_no
      left join upstreams u on u.name = b.upstream
      left join lateral (
        select bool_or(owner is not null) as in_hand, min(not_before) as due_at from slices where batch_no = b.batch_no) s on true
    where b.batch_no = any($1)`,
    [numbers],
  );
  return rows;
}
