/** The reconciler's view of mends: which batches' files are to be rebuilt, and which mends nobody waits for any more. */
import { MEND_GATHER_SECONDS } from "@nightshift/domain";
import type { Db, Queryable } from "../pool.ts";
import { withTx } from "../tx.ts";
import { linesDetail, writeHistory } from "./history.ts";

const AT_ONCE = 100;

/** Of the unpublished mends of one batch; $1 is the present. Without any it is null, which is no. */
const IS_DUE = `(bool_and(state = 'answered') or min(answered_at) <= $1::timestamptz - $2 * interval '1 second')`;

/**
 * Numbers of the finished batches whose mends are to be published: all are answered, or the first answer has waited for the
 * others for a minute. At most a hundred.
 */
export async function batchesToPublish(db: Queryable, now: Date): Promise<number[]> {
  const { rows } = await db.query<{ batch: number }>(
    `/* mends.to_publish */
    select batch from mends where state in ('open', 'answered') and until is not null
    group by batch having ${IS_DUE}
    order by batch limit $3`,
    [now, MEND_GATHER_SECONDS, AT_ONCE],
  );
  return rows.map((row) => row.batch);
}

/** True where `batchesToPublish` would name the batch. */
export async function isDueToPublish(db: Queryable, batch: number, now: Date): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* mends.is_due */
    select 1 from mends where batch = $3 and state in ('open', 'answered') and until is not null having ${IS_DUE}`,
    [now, MEND_GATHER_SECONDS, batch],
  );
  return rowCount === 1;
}

/** Gives up the mends of finished batches that had no result within their time; their lines stay as they were. */
export async function giveUpMends(db: Db, now: Date): Promise<void> {
  const { rows } = await db.query<{ batch: number }>(
    "/* mends.overdue */ select distinct batch from mends where state = 'open' and until <= $1 order by batch limit $2",
    [now, AT_ONCE],
  );
  for (const { batch } of rows) await giveUp(db, batch, now);
}

async function giveUp(db: Db, batch: number, now: Date): Promise<void> {
  await withTx(db, async (tx) => {
    await tx.query("/* mends.lock */ select 1 from batch_progress where batch = $1 for no key update", [batch]);
    await tx.query(
      "/* mends.overdue_slices */ select 1 from slices where batch = $1 and mend_until <= $2 order by slice_no for no key update",
      [batch, now],
    );
    await tx.query("/* mends.overdue_delete */ delete from slices where batch = $1 and mend_until <= $2", [batch, now]);
    const { rows } = await tx.query<{ line: number }>(
      "/* mends.give_up */ update mends set state = 'failed' where batch = $1 and state = 'open' and until <= $2 returning line",
      [batch, now],
    );
    if (rows.length === 0) return;
    const details = linesDetail(rows.map((row) => row.line));
    await writeHistory(tx, { batch, at: now, what: "mends_given_up", details });
  });
}
