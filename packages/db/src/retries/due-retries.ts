/** Finds retries that the reconciler has to act on: to publish them, or to give them up. */
import { RETRY_GATHER_SECONDS } from "@nightshift/domain";
import { insertHistoryEntry, linesDetail } from "../batches/history.ts";
import type { Db, Queryable } from "../pool.ts";
import { withTx } from "../tx.ts";

const MAX_BATCHES = 100;

/**
 * A condition on the unpublished retries of one batch. It needs the current time as $1. It is NULL, which counts as
 * false, if the batch has no unpublished retries.
 */
const IS_DUE = `(bool_and(state = 'answered') or min(answered_at) <= $1::timestamptz - $2 * interval '1 second')`;

/**
 * Returns the numbers of up to a hundred finished batches whose retries are due to be published. Retries are due if all
 * are answered, or if the first answer has waited for a minute.
 */
export async function batchesToPublish(db: Queryable, now: Date): Promise<number[]> {
  const { rows } = await db.query<{ batchNo: number }>(
    `/* retries.to_publish */
    select batch_no as "batchNo" from retries where state in ('open', 'answered') and gives_up_at is not null
    group by batch_no having ${IS_DUE}
    order by batch_no limit $3`,
    [now, RETRY_GATHER_SECONDS, MAX_BATCHES],
  );
  return rows.map((row) => row.batchNo);
}

/** Returns true if `batchesToPublish` would return the batch. */
export async function isDueToPublish(db: Queryable, batchNo: number, now: Date): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* retries.is_due */
    select 1 from retries where batch_no = $3 and state in ('open', 'answered') and gives_up_at is not null
    having ${IS_DUE}`,
    [now, RETRY_GATHER_SECONDS, batchNo],
  );
  return rowCount === 1;
}

/** Gives up the retries of finished batches that are past their deadline. Their lines keep their old results. */
export async function giveUpRetries(db: Db, now: Date): Promise<void> {
  const { rows } = await db.query<{ batchNo: number }>(
    `/* retries.overdue */
    select distinct batch_no as "batchNo" from retries
    where state = 'open' and gives_up_at <= $1 order by batch_no limit $2`,
    [now, MAX_BATCHES],
  );
  for (const { batchNo } of rows) await giveUpBatch(db, batchNo, now);
}

async function giveUpBatch(db: Db, batchNo: number, now: Date): Promise<void> {
  await withTx(db, async (tx) => {
    await tx.query("/* retries.lock */ select 1 from batch_progress where batch_no = $1 for no key update", [batchNo]);
    await tx.query(
      `/* retries.overdue_slices */
      select 1 from slices where batch_no = $1 and retry_until <= $2 order by slice_no for no key update`,
      [batchNo, now],
    );
    await tx.query("/* retries.overdue_delete */ delete from slices where batch_no = $1 and retry_until <= $2", [
      batchNo,
      now,
    ]);
    const { rows } = await tx.query<{ line: number }>(
      `/* retries.give_up */
      update retries set state = 'failed' where batch_no = $1 and state = 'open' and gives_up_at <= $2 returning line`,
      [batchNo, now],
    );
    if (rows.length === 0) return;
    const details = linesDetail(rows.map((row) => row.line));
    await insertHistoryEntry(tx, { batchNo, at: now, what: "retries_given_up", details });
  });
}
