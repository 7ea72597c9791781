/** Reads the ledger of a running batch with SQL. Only this file of the end-to-end tests knows the schema. */
import type { Stack } from "@nightshift/testing";

/**
 * Returns the lines of a batch that are not in exactly one of the three places where a line can be: beyond the feed
 * checkpoint, in a slice's `todo`, or in the line index. One statement sees one moment, so a result that is not empty
 * means that the invariant is broken.
 */
export async function misplacedLines(stack: Stack, batchId: string): Promise<{ line: number; places: number }[]> {
  return stack.sql(
    `with batch as (
       select batch_no, day, total, fed_lines from batches
       where id = $1 and status in ('in_progress', 'finalizing', 'completed')
     ), places as (
       select generate_series(fed_lines, total - 1) as line from batch
       union all
       select s.first_line + i from slices s join batch on s.batch_no = batch.batch_no,
         generate_series(0, s.line_count - 1) as i where (s.todo >> i) & 1 = 1
       union all
       select lines.line from lines join batch on lines.batch_no = batch.batch_no and lines.day = batch.day
     )
     select expected.line, count(places.line)::int as places
     from batch, generate_series(0, batch.total - 1) as expected (line) left join places on places.line = expected.line
     group by expected.line having count(places.line) <> 1`,
    [batchId],
  );
}

/** Returns the numbers of a batch's lines whose results are durable, counted from 0. */
export async function recordedLines(stack: Stack, batchId: string): Promise<Set<number>> {
  const rows = await stack.sql<{ line: number }>(
    "select lines.line from lines join batches on lines.batch_no = batches.batch_no where batches.id = $1",
    [batchId],
  );
  return new Set(rows.map(({ line }) => line));
}

/**
 * Returns the lines and bytes that are handed out and not done, over all batches. The window allows 8 MiB of input
 * lines at once.
 */
export async function handedOut(stack: Stack): Promise<{ lines: number; bytes: number }> {
  const rows = await stack.sql<{ lines: number; bytes: number }>(
    `select coalesce(sum(bit_count(todo::bit(64))), 0)::int as lines, coalesce(sum(byte_length), 0)::int as bytes from slices`,
  );
  return rows[0] ?? { lines: 0, bytes: 0 };
}

/** True while an upstream is paused, because it asked for a pause or was unavailable. */
export async function isPaused(stack: Stack, upstream: string): Promise<boolean> {
  const text = "select paused_until > now() as paused from upstreams where name = $1";
  return (await stack.sql<{ paused: boolean }>(text, [upstream]))[0]?.paused === true;
}

/** Lets a batch's completion window end now. */
export async function endWindow(stack: Stack, batchId: string): Promise<void> {
  await stack.sql("update batches set deadline = now() where id = $1", [batchId]);
}

/** Creates `count` more files with the bytes, tenant and age of the given file, and returns their ids. */
export async function copyFile(stack: Stack, fileId: string, count: number): Promise<string[]> {
  const rows = await stack.sql<{ id: string }>(
    `insert into files (id, tenant, purpose, filename, bytes, blob, created_at, expires_at)
     select 'file-copy' || i, tenant, purpose, filename, bytes, blob, created_at, expires_at
     from files, generate_series(1, $2::int) as i where id = $1 order by i returning id`,
    [fileId, count],
  );
  return rows.map(({ id }) => id);
}
