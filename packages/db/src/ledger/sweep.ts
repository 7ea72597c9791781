/** Retention of segments: once a batch has its files, its segments are no longer needed. */
import type { Db, Queryable } from "../pool.ts";
import { withTx } from "../tx.ts";

export interface SweptSegment {
  readonly id: number;
  readonly key: string;
}

/**
 * Returns up to `limit` segments that are older than `minAgeSeconds` and that nothing needs. A segment is needed if it
 * has results of unpublished retries, of unfinished batches, or of batches that finished less than `minAgeSeconds` ago.
 */
export async function sweepableSegments(db: Queryable, minAgeSeconds: number, limit: number): Promise<SweptSegment[]> {
  const { rows } = await db.query<SweptSegment>(
    `/* sweep.segments */
    select s.id, s.key from segments s
    where s.created_at < clock_timestamp() - $1 * interval '1 second'
      and not exists (select 1 from retries m where m.segment = s.id and m.state = 'answered')
      and not exists (select 1 from extents e join batches b on b.batch_no = e.batch_no
        where e.segment = s.id and (b.status in ('in_progress', 'finalizing', 'cancelling')
          or greatest(b.completed_at, b.expired_at, b.cancelled_at) > clock_timestamp() - $1 * interval '1 second'))
    order by s.id limit $2`,
    [minAgeSeconds, limit],
  );
  return rows;
}

/** Returns which of these keys belong to a segment in the ledger. */
export async function knownSegments(db: Queryable, keys: readonly string[]): Promise<Set<string>> {
  const { rows } = await db.query<{ key: string }>("/* sweep.known */ select key from segments where key = any($1)", [
    keys,
  ]);
  return new Set(rows.map(({ key }) => key));
}

/** Deletes the rows of segments whose objects are deleted, and their extents. */
export async function forgetSegments(db: Db, ids: readonly number[]): Promise<void> {
  await withTx(db, async (tx) => {
    await tx.query("/* sweep.extents */ delete from extents where segment = any($1)", [ids]);
    await tx.query("/* sweep.forget */ delete from segments where id = any($1)", [ids]);
  });
}
