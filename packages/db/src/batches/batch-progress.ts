/**
 * Reads the progress of batches and the reasons why they wait. Called once per second for each batch with an open event
 * stream.
 */
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
  /** True if the batch is sealed: only results of retries are still recorded. */
  isSealed: boolean;
  /** The end of the upstream's pause, by the database's clock. Null if the upstream is not paused. */
  pausedUntil: Date | null;
  /** True if a worker holds lines of the batch. */
  isInHand: boolean;
  /** When the batch's next slice is due. Null if a slice is due now, there are no slices, or all slices are parked. */
  dueAt: Date | null;
  /**
   * True if the batch waits for other batches of its tenant, because the tier limits how many run at once:
   * docs/tenants.md.
   */
  isQueued: boolean;
  /** True if at least one worker is registered. */
  hasWorkers: boolean;
}

/** Returns one entry for each of these batches that exists, in no particular order. */
export async function batchProgress(db: Queryable, batchNos: readonly number[]): Promise<BatchProgress[]> {
  const { rows } = await db.query<BatchProgress>(
    `/* batches.progress */
    select b.batch_no as "batchNo", b.id, b.status, b.in_progress_at as "inProgressAt", b.total,
      p.completed, p.failed, p.seq, p.sealed_at is not null as "isSealed",
      case when u.paused_until > clock_timestamp() and isfinite(u.paused_until) then u.paused_until end as "pausedUntil",
      coalesce(s.in_hand, false) as "isInHand",
      case when s.due_at > clock_timestamp() and isfinite(s.due_at) then s.due_at end as "dueAt",
      b.status = 'validating' and b.admitted_at is null and b.queued_at is not null as "isQueued",
      exists (select 1 from workers) as "hasWorkers"
    from batches b join batch_progress p on p.batch_no = b.batch_no
      left join upstreams u on u.name = b.upstream
      left join lateral (
        select bool_or(owner is not null) as in_hand, min(not_before) as due_at
        from slices where batch_no = b.batch_no) s on true
    where b.batch_no = any($1)`,
    [batchNos],
  );
  return rows;
}
