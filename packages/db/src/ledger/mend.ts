/** Asking for a failed line again: a Postgres write first, so that the new request is told from a redelivery. */
import type { Db, Tx } from "../pool.ts";
import { withTx } from "../tx.ts";
import { SMALL_BATCH_LINES, type WaitingSlice } from "./slice-row.ts";

export type MendOutcome =
  | { readonly outcome: "opened"; readonly slice: WaitingSlice }
  /** The batch is not in progress any more; its files are being made, or made. */
  | { readonly outcome: "batch_not_running"; readonly status: string }
  /** The line has not failed: it is running again already, or has a good result. */
  | { readonly outcome: "not_failed" }
  | { readonly outcome: "no_such_line" };

export interface MendRequest {
  readonly batch: number;
  readonly line: number;
  /** Who asked, for the batch's history. */
  readonly askedBy: string;
  /** Where the line lies in the input. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/**
 * Sends a failed line of a running batch again, under a new idempotency key: takes its row out of the index, one from
 * `failed`, and inserts a slice of its own. Results of the older request are discarded from here on.
 */
export async function openMend(db: Db, request: MendRequest): Promise<MendOutcome> {
  return withTx(db, async (tx) => {
    // A statement of its own: one that also read the batch would see it as it was before the wait for this lock.
    await tx.query("/* mends.lock */ select 1 from batch_progress where batch = $1 for no key update", [request.batch]);
    const { rows } = await tx.query<{
      isSealed: boolean;
      status: string;
      day: number;
      total: number;
      upstream: string | null;
    }>(
      `/* mends.batch */
      select p.sealed_at is not null as "isSealed", b.status, b.day, b.total, b.upstream
      from batch_progress p join batches b on b.number = p.batch where p.batch = $1`,
      [request.batch],
    );
    const batch = rows[0];
    if (batch === undefined || request.line >= batch.total) return { outcome: "no_such_line" };
    if (batch.isSealed || batch.status !== "in_progress") return { outcome: "batch_not_running", status: batch.status };
    const gen = await takeFailedRow(tx, batch.day, request);
    if (gen === null) return { outcome: "not_failed" };
    const sliceNo = await insertMendSlice(tx, request, batch.upstream ?? "", gen + 1);
    const isBulk = batch.total > SMALL_BATCH_LINES;
    return { outcome: "opened", slice: { sliceNo, gen: 0, upstream: batch.upstream ?? "", isBulk, delayMs: 0 } };
  });
}

/** Removes the failed line's index row and its share of the counts; returns its request generation, null if it has none. */
async function takeFailedRow(tx: Tx, day: number, request: MendRequest): Promise<number | null> {
  const { rows } = await tx.query<{ gen: number }>(
    `/* mends.take_row */
    delete from lines where day = $1 and batch = $2 and line = $3 and failed returning request_gen as gen`,
    [day, request.batch, request.line],
  );
  if (rows[0] === undefined) return null;
  await tx.query(
    "/* mends.uncount */ update batch_progress set failed = failed - 1, mends = mends + 1, seq = seq + 1 where batch = $1",
    [request.batch],
  );
  return rows[0].gen;
}

async function insertMendSlice(tx: Tx, request: MendRequest, upstream: string, requestGen: number): Promise<number> {
  await tx.query("/* mends.insert */ insert into mends (batch, line, request_gen, asked_by) values ($1, $2, $3, $4)", [
    request.batch,
    request.line,
    requestGen,
    request.askedBy,
  ]);
  const { rows } = await tx.query<{ sliceNo: number }>(
    `/* mends.slice */
    insert into slices (batch, upstream, first_line, line_count, byte_offset, byte_length, todo, request_gen)
    values ($1, $2, $3, 1, $4, $5, 1, $6) returning slice_no as "sliceNo"`,
    [request.batch, upstream, request.line, request.byteOffset, request.byteLength, requestGen],
  );
  return rows[0]?.sliceNo ?? 0;
}

export interface FailedLine {
  readonly batch: number;
  readonly batchId: string;
  readonly line: number;
  readonly requestGen: number;
}

/** The newest lines of running batches that ran out of attempts: what the dashboard's failed set is rebuilt from. */
export async function exhaustedLines(db: Db, limit: number): Promise<FailedLine[]> {
  const { rows } = await db.query<FailedLine>(
    `/* mends.exhausted */
    select l.batch, b.id as "batchId", l.line, l.request_gen as "requestGen"
    from batches b join lines l on l.day = b.day and l.batch = b.number and l.exhausted
    where b.status = 'in_progress' order by l.batch desc, l.line desc limit $1`,
    [limit],
  );
  return rows;
}
