/** Tells a worker which of the batches it holds lines of have ended or are being cancelled. */
import type { Queryable } from "../pool.ts";

/** Those of `batches` (numbers) that are not in progress any more, or past their deadline. */
export async function stoppedBatches(db: Queryable, batches: readonly number[], now: Date): Promise<number[]> {
  const { rows } = await db.query<{ number: number }>(
    `/* batches.stopped */
    select number from batches where number = any($1) and (status <> 'in_progress' or deadline <= $2)`,
    [batches, now],
  );
  return rows.map((row) => row.number);
}
