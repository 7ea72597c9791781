/** The part of recording that concerns retries: results of those of finished batches wait for the rebuild of the files. */
import { arrayLiteral } from "../array-literal.ts";
import type { LineResult } from "../ledger/flush.ts";
import type { Tx } from "../pool.ts";
import { linesDetail, writeHistory } from "./history.ts";

/**
 * Keeps the results that open retries of sealed batches wait for, and returns those; results of older requests, and second
 * ones of the same, are dropped. Index, counts and files follow when they are published.
 */
export async function answerRetries(
  tx: Tx,
  segments: ReadonlyMap<string, number>,
  results: readonly LineResult[],
  now: Date,
): Promise<LineResult[]> {
  const { rows } = await tx.query<{ segment: number; offset: number }>(
    `/* retries.answer */
    update retries m set state = 'answered', answered_at = $1, segment = v.segment, segment_offset = v.segment_offset,
      length = v.length, failed = v.failed, exhausted = v.exhausted, input_tokens = v.input_tokens,
      output_tokens = v.output_tokens, total_tokens = v.total_tokens, cached_tokens = v.cached_tokens,
      reasoning_tokens = v.reasoning_tokens
    from unnest($2::bigint[], $3::int[], $4::int[], $5::bigint[], $6::int[], $7::int[], $8::bool[], $9::bool[],
        $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
      as v (batch_no, line, request_gen, segment, segment_offset, length, failed, exhausted,
        input_tokens, output_tokens, total_tokens, cached_tokens, reasoning_tokens)
    where m.batch_no = v.batch_no and m.line = v.line and m.request_gen = v.request_gen and m.state = 'open' and m.until is not null
    returning m.segment, m.segment_offset as offset`,
    [
      now,
      ...identityOf(results),
      arrayLiteral(results.map((r) => segments.get(r.segment) ?? -1)),
      arrayLiteral(results.map((r) => r.offset)),
      arrayLiteral(results.map((r) => r.length)),
      arrayLiteral(results.map((r) => r.kind === "error")),
      arrayLiteral(results.map((r) => r.isExhausted)),
      arrayLiteral(results.map((r) => r.usage?.inputTokens ?? 0)),
      arrayLiteral(results.map((r) => r.usage?.outputTokens ?? 0)),
      arrayLiteral(results.map((r) => r.usage?.totalTokens ?? 0)),
      arrayLiteral(results.map((r) => r.usage?.cachedTokens ?? 0)),
      arrayLiteral(results.map((r) => r.usage?.reasoningTokens ?? 0)),
    ],
  );
  // No two results lie in the same place.
  const kept = new Set(rows.map((row) => `${String(row.segment)} ${String(row.offset)}`));
  return results.filter((r) => kept.has(`${String(segments.get(r.segment))} ${String(r.offset)}`));
}

/** Ends the retries of running batches whose lines have a result now. */
export async function closeRetries(tx: Tx, results: readonly LineResult[], now: Date): Promise<void> {
  const { rows } = await tx.query<{ batchNo: number; line: number; failed: boolean }>(
    `/* retries.close */
    update retries m set state = case when v.failed then 'failed' else 'succeeded' end, answered_at = $1, failed = v.failed
    from unnest($2::bigint[], $3::int[], $4::int[], $5::bool[]) as v (batch_no, line, request_gen, failed)
    where m.batch_no = v.batch_no and m.line = v.line and m.request_gen = v.request_gen and m.state = 'open'
    returning m.batch_no as "batchNo", m.line, m.failed`,
    [now, ...identityOf(results), arrayLiteral(results.map((r) => r.kind === "error"))],
  );
  for (const batchNo of new Set(rows.map((row) => row.batchNo))) {
    await writeOutcome(
      tx,
      batchNo,
      rows.filter((row) => row.batchNo === batchNo),
      now,
    );
  }
}

/** History entries of what came of retries: one for those that succeeded, one for those that failed again. */
export async function writeOutcome(
  tx: Tx,
  batchNo: number,
  retries: readonly { line: number; failed: boolean }[],
  now: Date,
): Promise<void> {
  for (const failed of [false, true]) {
    const lines = retries.filter((retry) => retry.failed === failed).map((retry) => retry.line);
    if (lines.length === 0) continue;
    const what = failed ? "retries_failed" : "retries_succeeded";
    await writeHistory(tx, { batchNo, at: now, what, details: linesDetail(lines) });
  }
}

/** Those of `batches` that have answered retries and wait for no further one. */
export async function fullyAnswered(tx: Tx, batches: readonly number[]): Promise<number[]> {
  const { rows } = await tx.query<{ batchNo: number }>(
    `/* retries.fully_answered */
    select batch_no as "batchNo" from retries where batch_no = any($1) and state in ('open', 'answered')
    group by batch_no having bool_and(state = 'answered') order by batch_no`,
    [batches],
  );
  return rows.map((row) => row.batchNo);
}

function identityOf(results: readonly LineResult[]): string[] {
  return [
    arrayLiteral(results.map((r) => r.batchNo)),
    arrayLiteral(results.map((r) => r.line)),
    arrayLiteral(results.map((r) => r.requestGen)),
  ];
}
