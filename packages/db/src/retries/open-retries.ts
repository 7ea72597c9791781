/**
 * Asking for failed lines again: a Postgres write first, so that the new requests are told from redeliveries. All lines of
 * one call are opened by a handful of statements, however many they are.
 */
import { RETRY_HOURS } from "@nightshift/domain";
import { arrayLiteral } from "../array-literal.ts";
import type { Db, Tx } from "../pool.ts";
import { withTx } from "../tx.ts";
import { SMALL_BATCH_LINES, type WaitingSlice } from "../ledger/slice-row.ts";
import { linesDetail, writeHistory } from "./history.ts";

/** A line, counted from 0, and where it lies in the input. */
export interface RetryLine {
  readonly line: number;
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface RetryRequest {
  readonly batchNo: number;
  /** Those that have not failed, or are being retried already, are left alone. */
  readonly lines: readonly RetryLine[];
  /** Who asked, for the batch's history. */
  readonly askedBy: string;
}

export type RetryOutcome =
  | {
      readonly outcome: "opened";
      /** Those that run again, none where no line had failed. */
      readonly lines: readonly number[];
      /** To be enqueued now. The rest of many lines is parked, and comes with the feeds of the upstream. */
      readonly slices: readonly WaitingSlice[];
      readonly upstream: string;
    }
  | { readonly outcome: "no_such_batch" }
  /** The batch is in no state to be retried: validating, being finished, or failed in validation. */
  | { readonly outcome: "wrong_state"; readonly status: string }
  /** The bytes of the requests, or of the results so far, are gone or about to go. */
  | { readonly outcome: "file_gone"; readonly file: "input" | "output" };

interface Facts {
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
 * Sends failed lines again, under new idempotency keys. Of a running batch their index rows and their share of `failed` are
 * taken away; a finished one stays as it is until their results are published. Of an expired or cancelled batch the lines
 * that were never finished count as failed. Results of older requests are discarded from here on.
 */
export async function openRetries(db: Db, request: RetryRequest, now: Date): Promise<RetryOutcome> {
  return withTx(db, async (tx) => {
    // A statement of its own: one that also read the batch would see it as it was before the wait for this lock.
    await tx.query("/* retries.lock */ select 1 from batch_progress where batch_no = $1 for no key update", [
      request.batchNo,
    ]);
    const facts = await factsOf(tx, request.batchNo);
    if (facts === null) return { outcome: "no_such_batch" };
    const isRunning = facts.status === "in_progress" && !facts.isSealed;
    if (!isRunning && !FINISHED.includes(facts.status)) return { outcome: "wrong_state", status: facts.status };
    if (!isRunning && facts.total > 0) {
      const gone = await missingFile(tx, facts, now);
      if (gone !== null) return { outcome: "file_gone", file: gone };
    }
    return open(tx, request, facts, isRunning ? null : new Date(now.getTime() + RETRY_HOURS * HOUR_MS), now);
  });
}

async function factsOf(tx: Tx, batchNo: number): Promise<Facts | null> {
  const { rows } = await tx.query<Facts>(
    `/* retries.batch */
    select b.tenant, b.status, b.day, b.total, b.upstream, p.sealed_at is not null as "isSealed",
      b.input_blob is not null and b.index_blob is not null as "hasBytes",
      b.input_file_id as "inputFileId", b.output_file_id as "outputFileId"
    from batch_progress p join batches b on b.batch_no = p.batch_no where p.batch_no = $1`,
    [batchNo],
  );
  return rows[0] ?? null;
}

/** Locked until the retry is there: a file that is deleted after it finds its bytes needed. */
async function missingFile(tx: Tx, facts: Facts, now: Date): Promise<"input" | "output" | null> {
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

async function open(
  tx: Tx,
  request: RetryRequest,
  facts: Facts,
  until: Date | null,
  now: Date,
): Promise<Extract<RetryOutcome, { outcome: "opened" }>> {
  const asked = request.lines.filter(({ line }) => line < facts.total);
  const { rows } = await tx.query<{ sliceNo: number; line: number; isParked: boolean }>(
    until === null ? OPEN_RUNNING : OPEN_FINISHED,
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
      ...(until === null ? [] : [until]),
    ],
  );
  const upstream = facts.upstream ?? "";
  const lines = rows.map((row) => row.line);
  if (lines.length === 0) return { outcome: "opened", lines, slices: [], upstream };
  await tx.query(
    `/* retries.uncount */
    update batch_progress set failed = failed - $2, retries = retries + $3, seq = seq + 1 where batch_no = $1`,
    [request.batchNo, until === null ? lines.length : 0, lines.length],
  );
  await writeHistory(tx, {
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

/** More lines than a small batch has are parked: they would fill the upstream's window, and nobody else would be fed. */
const NEW_SLICES = `
    insert into slices (batch_no, upstream, first_line, line_count, byte_offset, byte_length, todo, request_gen, not_before, retry_until)
    select $5, $6, line, 1, byte_offset, byte_length, 1, request_gen,
      case when (select count(*) from again) > $9 then 'infinity'::timestamptz else clock_timestamp() end, until
    from again order by line
    returning slice_no as "sliceNo", first_line as line, not_before = 'infinity' as "isParked"`;

const NOTED = `noted as (
      insert into retries (batch_no, line, request_gen, asked_by, asked_at, until)
      select $5, line, request_gen, $7, $8, until from again)`;

const OPEN_RUNNING = `/* retries.open_running */
    with ${ASKED},
    again as (
      delete from lines l using asked a where l.day = $4 and l.batch_no = $5 and l.line = a.line and l.failed
      returning a.line, a.byte_offset, a.byte_length, l.request_gen + 1 as request_gen, null::timestamptz as until),
    ${NOTED}${NEW_SLICES}`;

const OPEN_FINISHED = `/* retries.open_finished */
    with ${ASKED},
    again as (
      select a.line, a.byte_offset, a.byte_length, $10::timestamptz as until, 1 + greatest(coalesce(l.request_gen, 0),
        coalesce((select max(m.request_gen) from retries m where m.batch_no = $5 and m.line = a.line), 0)) as request_gen
      from asked a left join lines l on l.day = $4 and l.batch_no = $5 and l.line = a.line
      where coalesce(l.failed, true) and not exists (
        select 1 from retries m where m.batch_no = $5 and m.line = a.line and m.state in ('open', 'answered'))),
    ${NOTED}${NEW_SLICES}`;
