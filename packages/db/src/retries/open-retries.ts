/**
 * Opens retries of failed lines. The row comes before the job, so that a new request can be distinguished from a
 * redelivery of the old one. The number of statements of a call does not depend on the number of lines.
 */
import { RETRY_HOURS } from "@nightshift/domain";
import { insertHistoryEntry, linesDetail } from "../batches/history.ts";
import { SMALL_BATCH_LINES, type WaitingSlice } from "../ledger/slice-row.ts";
import type { Db, Tx } from "../pool.ts";
import { arrayLiteral } from "../sql.ts";
import { withTx } from "../tx.ts";

/** A line, counted from 0, and its place in the input. */
export interface RetryLine {
  readonly line: number;
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface RetryRequest {
  readonly batchNo: number;
  /** Lines that have not failed, or already have an unpublished retry, are skipped. */
  readonly lines: readonly RetryLine[];
  /** The key or admin that requested the retry, for the batch's history. */
  readonly askedBy: string;
}

export type RetryOutcome =
  | {
      readonly outcome: "opened";
      /** The lines that run again. Empty if no line had failed. */
      readonly lines: readonly number[];
      /** The slices to enqueue now. Empty for many lines: their slices are parked until the upstream is fed. */
      readonly slices: readonly WaitingSlice[];
      readonly upstream: string;
    }
  | { readonly outcome: "no_such_batch" }
  /** The status does not allow retries: the batch is validating, is being finished, or failed in validation. */
  | { readonly outcome: "wrong_state"; readonly status: string }
  /** The input or output file is deleted or expired, so its bytes are gone or about to be deleted. */
  | { readonly outcome: "file_gone"; readonly file: "input" | "output" };

interface BatchFacts {
  readonly tenant: string;
  readonly status: string;
  readonly day: number;
  readonly total: number;
  readonly upstream: string | null;
  readonly isSealed: boolean;
  readonly hasBytes: boolean;
  readonly inputFileId: string;
  readonly outputFileId: string | null;
}

const HOUR_MS = 3_600_000;
const FINISHED: readonly string[] = ["completed", "expired", "cancelled"];

/**
 * Runs failed lines again, with new idempotency keys. In a running batch, removes their index rows and subtracts them
 * from `failed`. A finished batch does not change until the results are published. In an expired or cancelled batch,
 * unfinished lines count as failed. After this call, results of older requests are discarded.
 */
export async function openRetries(db: Db, request: RetryRequest, now: Date): Promise<RetryOutcome> {
  return withTx(db, async (tx) => {
    // This is a separate statement: a statement that also read the batch would see the batch as it was before the wait
    // for the lock.
    await tx.query("/* retries.lock */ select 1 from batch_progress where batch_no = $1 for no key update", [
      request.batchNo,
    ]);
    const facts = await findBatchFacts(tx, request.batchNo);
    if (facts === null) return { outcome: "no_such_batch" };
    const isRunning = facts.status === "in_progress" && !facts.isSealed;
    if (!isRunning && !FINISHED.includes(facts.status)) return { outcome: "wrong_state", status: facts.status };
    if (!isRunning && facts.total > 0) {
      const gone = await missingFile(tx, facts, now);
      if (gone !== null) return { outcome: "file_gone", file: gone };
    }
    const givesUpAt = isRunning ? null : new Date(now.getTime() + RETRY_HOURS * HOUR_MS);
    return openLines(tx, request, facts, givesUpAt, now);
  });
}

async function findBatchFacts(tx: Tx, batchNo: number): Promise<BatchFacts | null> {
  const { rows } = await tx.query<BatchFacts>(
    `/* retries.batch */
    select b.tenant, b.status, b.day, b.total, b.upstream, p.sealed_at is not null as "isSealed",
      b.input_blob is not null and b.index_blob is not null as "hasBytes",
      b.input_file_id as "inputFileId", b.output_file_id as "outputFileId"
    from batch_progress p join batches b on b.batch_no = p.batch_no where p.batch_no = $1`,
    [batchNo],
  );
  return rows[0] ?? null;
}

/** Locks the files until the retry is inserted. After that, the retry protects the bytes of deleted files. */
async function missingFile(tx: Tx, facts: BatchFacts, now: Date): Promise<"input" | "output" | null> {
  const { rows } = await tx.query<{ id: string }>(
    `/* retries.files */
    select id from files where tenant = $1 and id = any($2) and deleted_at is null and blob is not null
      and (expires_at is null or expires_at > $3) order by id for share`,
    [facts.tenant, [facts.inputFileId, facts.outputFileId].filter((id) => id !== null), now],
  );
  const live = new Set(rows.map((row) => row.id));
  if (!facts.hasBytes || !live.has(facts.inputFileId)) return "input";
  return facts.outputFileId !== null && !live.has(facts.outputFileId) ? "output" : null;
}

async function openLines(
  tx: Tx,
  request: RetryRequest,
  facts: BatchFacts,
  givesUpAt: Date | null,
  now: Date,
): Promise<Extract<RetryOutcome, { outcome: "opened" }>> {
  const asked = request.lines.filter(({ line }) => line < facts.total);
  const { rows } = await tx.query<{ sliceNo: number; line: number; isParked: boolean }>(
    givesUpAt === null ? OPEN_RUNNING : OPEN_FINISHED,
    [
      arrayLiteral(asked.map((a) => a.line)),
      arrayLiteral(asked.map((a) => a.byteOffset)),
      arrayLiteral(asked.map((a) => a.byteLength)),
      facts.day,
      request.batchNo,
      facts.upstream,
      request.askedBy,
      now,
      SMALL_BATCH_LINES,
      ...(givesUpAt === null ? [] : [givesUpAt]),
    ],
  );
  const upstream = facts.upstream ?? "";
  const lines = rows.map((row) => row.line);
  if (lines.length === 0) return { outcome: "opened", lines, slices: [], upstream };
  await tx.query(
    `/* retries.uncount */
    update batch_progress set failed = failed - $2, retry_count = retry_count + $3, seq = seq + 1
    where batch_no = $1`,
    [request.batchNo, givesUpAt === null ? lines.length : 0, lines.length],
  );
  await insertHistoryEntry(tx, {
    batchNo: request.batchNo,
    at: now,
    what: "retries_asked",
    by: request.askedBy,
    details: linesDetail(lines),
  });
  const isBulk = facts.total > SMALL_BATCH_LINES;
  const slices = rows
    .filter((row) => !row.isParked)
    .map(({ sliceNo }) => ({ sliceNo, gen: 0, upstream, isBulk, delayMs: 0 }));
  return { outcome: "opened", lines, slices, upstream };
}

const ASKED = `asked as (
      select line, byte_offset, byte_length from unnest($1::int[], $2::bigint[], $3::bigint[])
        as v (line, byte_offset, byte_length))`;

/**
 * If a call opens more lines than a small batch has, the lines are parked. Otherwise they would fill the window and
 * block all other batches.
 */
const NEW_SLICES = `
    insert into slices (batch_no, upstream, first_line, line_count, byte_offset, byte_length, todo, request_gen, not_before,
      retry_until)
    select $5, $6, line, 1, byte_offset, byte_length, 1, request_gen,
      case when (select count(*) from again) > $9 then 'infinity'::timestamptz else clock_timestamp() end, gives_up_at
    from again order by line
    returning slice_no as "sliceNo", first_line as line, not_before = 'infinity' as "isParked"`;

const NEW_RETRIES = `new_retries as (
      insert into retries (batch_no, line, request_gen, asked_by, asked_at, gives_up_at)
      select $5, line, request_gen, $7, $8, gives_up_at from again)`;

const OPEN_RUNNING = `/* retries.open_running */
    with ${ASKED},
    again as (
      delete from lines l using asked a where l.day = $4 and l.batch_no = $5 and l.line = a.line and l.failed
      returning a.line, a.byte_offset, a.byte_length, l.request_gen + 1 as request_gen,
        null::timestamptz as gives_up_at),
    ${NEW_RETRIES}${NEW_SLICES}`;

const OPEN_FINISHED = `/* retries.open_finished */
    with ${ASKED},
    again as (
      select a.line, a.byte_offset, a.byte_length, $10::timestamptz as gives_up_at, 1 + greatest(coalesce(l.request_gen, 0),
        coalesce((select max(m.request_gen) from retries m where m.batch_no = $5 and m.line = a.line), 0)) as request_gen
      from asked a left join lines l on l.day = $4 and l.batch_no = $5 and l.line = a.line
      where coalesce(l.failed, true) and not exists (
        select 1 from retries m where m.batch_no = $5 and m.line = a.line and m.state in ('open', 'answered'))),
    ${NEW_RETRIES}${NEW_SLICES}`;
