/** The part of recording that concerns mends: results of those of finished batches wait for the rebuild of the files. */
import { arrayLiteral } from "../array-literal.ts";
import type { LineResult } from "../ledger/flush.ts";
import type { Tx } from "../pool.ts";
import { linesDetail, writeHistory } from "./history.ts";

/**
 * Keeps the results that open mends of sealed batches wait for, and returns those; results of older requests, and second
 * ones of the same, are dropped. Index, counts and files follow when they are published.
 */
export async function answerMends(
  tx: Tx,
  segments: ReadonlyMap<string, number>,
  results: readonly LineResult[],
  now: Date,
): Promise<LineResult[]> {
  const { rows } = await tx.query<{ segment: number; offset: number }>(
    `/* mends.answer */
    update mends m set state = 'answered', answered_at = $1, segment = v.segment, segment_offset = v.segment_offset,
      length = v.length, failed = v.failed, exhausted = v.exhausted, input_tokens = v.input_tokens,
      output_tokens = v.output_tokens, total_tokens = v.total_tokens, cached_tokens = v.cached_tokens,
      reasoning_tokens = v.reasoning_tokens
    from unnest($2::bigint[], $3::int[], $4::int[], $5::bigint[], $6::int[], $7::int[], $8::bool[], $9::bool[],
        $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
      as v (batch, line, request_gen, segment, segment_offset, length, failed, exhausted,
        input_tokens, output_tokens, total_tokens, cached_tokens, reasoning_tokens)
    where m.batch = v.batch and m.line = v.line and m.request_gen = v.request_gen and m.state = 'open' and m.until is not null
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

/** Ends the mends of running batches whose lines have a result now. */
export async function closeMends(tx: Tx, results: readonly LineResult[], now: Date): Promise<void> {
  const { rows } = await tx.query<{ batch: number; line: number; failed: boolean }>(
    `/* mends.close */
    update mends m set state = case when v.failed then 'failed' else 'succeeded' end, answered_at = $1, failed = v.failed
    from unnest($2::bigint[], $3::int[], $4::int[], $5::bool[]) as v (batch, line, request_gen, failed)
    where m.batch = v.batch and m.line = v.line and m.request_gen = v.request_gen and m.state = 'open'
    returning m.batch, m.line, m.failed`,
    [now, ...identityOf(results), arrayLiteral(results.map((r) => r.kind === "error"))],
  );
  for (const batch of new Set(rows.map((row) => row.batch))) {
    await writeOutcome(
      tx,
      batch,
      rows.filter((row) => row.batch === batch),
      now,
    );
  }
}

/** History entries of what came of mends: one for those that succeeded, one for those that failed again. */
export async function writeOutcome(
  tx: Tx,
  batch: number,
  mends: readonly { line: number; failed: boolean }[],
  now: Date,
): Promise<void> {
  for (const failed of [false, true]) {
    const lines = mends.filter((mend) => mend.failed === failed).map((mend) => mend.line);
    if (lines.length === 0) continue;
    const what = failed ? "mends_failed" : "mends_succeeded";
    await writeHistory(tx, { batch, at: now, what, details: linesDetail(lines) });
  }
}

/** Those of `batches` that have answered mends and wait for no further one. */
export async function fullyAnswered(tx: Tx, batches: readonly number[]): Promise<number[]> {
  const { rows } = await tx.query<{ batch: number }>(
    `/* mends.fully_answered */
    select batch from mends where batch = any($1) and state in ('open', 'answered')
    group by batch having bool_and(state = 'answered') order by batch`,
    [batches],
  );
  return rows.map((row) => row.batch);
}

function identityOf(results: readonly LineResult[]): string[] {
  return [
    arrayLiteral(results.map((r) => r.batch)),
    arrayLiteral(results.map((r) => r.line)),
    arrayLiteral(results.map((r) => r.requestGen)),
  ];
}
