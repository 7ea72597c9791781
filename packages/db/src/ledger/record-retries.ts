/** The part of recording that answers retries. In a finished batch, their results wait until the files are rebuilt. */
import { TOKEN_COUNTERS } from "@nightshift/domain";
import { insertRetryOutcomes } from "../batches/history.ts";
import type { Tx } from "../pool.ts";
import { arrayLiteral, eachTokenColumn } from "../sql.ts";
import type { LineResult } from "./flush.ts";

/**
 * Stores the results of open retries of sealed batches, and returns those results. Drops results of older requests and
 * second results of the same request. Index, counts and files change when the retries are published.
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
      length = v.length, failed = v.failed, exhausted = v.exhausted,
      ${eachTokenColumn((column) => `${column} = v.${column}`)}
    from unnest($2::bigint[], $3::int[], $4::int[], $5::bigint[], $6::int[], $7::int[], $8::bool[], $9::bool[],
        ${eachTokenColumn((_, i) => `$${String(i + 10)}::bigint[]`)})
      as v (batch_no, line, request_gen, segment, segment_offset, length, failed, exhausted,
        ${eachTokenColumn((column) => column)})
    where m.batch_no = v.batch_no and m.line = v.line and m.request_gen = v.request_gen
      and m.state = 'open' and m.gives_up_at is not null
    returning m.segment, m.segment_offset as offset`,
    [
      now,
      ...identityOf(results),
      arrayLiteral(results.map((r) => segments.get(r.segment) ?? -1)),
      arrayLiteral(results.map((r) => r.offset)),
      arrayLiteral(results.map((r) => r.length)),
      arrayLiteral(results.map((r) => r.resultKind === "error")),
      arrayLiteral(results.map((r) => r.isExhausted)),
      ...TOKEN_COUNTERS.map(({ name }) => arrayLiteral(results.map((r) => r.usage?.[name] ?? 0))),
    ],
  );
  // No two results have the same place.
  const kept = new Set(rows.map((row) => `${String(row.segment)} ${String(row.offset)}`));
  return results.filter((r) => kept.has(`${String(segments.get(r.segment))} ${String(r.offset)}`));
}

/** Closes the open retries of running batches whose lines have a result now. */
export async function closeRetries(tx: Tx, results: readonly LineResult[], now: Date): Promise<void> {
  const { rows } = await tx.query<{ batchNo: number; line: number; failed: boolean }>(
    `/* retries.close */
    update retries m set state = case when v.failed then 'failed' else 'succeeded' end, answered_at = $1,
      failed = v.failed
    from unnest($2::bigint[], $3::int[], $4::int[], $5::bool[]) as v (batch_no, line, request_gen, failed)
    where m.batch_no = v.batch_no and m.line = v.line and m.request_gen = v.request_gen and m.state = 'open'
    returning m.batch_no as "batchNo", m.line, m.failed`,
    [now, ...identityOf(results), arrayLiteral(results.map((r) => r.resultKind === "error"))],
  );
  for (const batchNo of new Set(rows.map((row) => row.batchNo))) {
    const closed = rows.filter((row) => row.batchNo === batchNo);
    await insertRetryOutcomes(tx, batchNo, closed, now);
  }
}

/** Returns which of these batches have answered retries and no open retries. */
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
