/**
 * The results of a finished batch's retries become the batch's: index, counts, usage, files and the retries' own states change
 * in one transaction, so a reader sees the batch as it was or as it is, never a mixture.
 */
import type { ResultFile } from "../batches/finish-batch.ts";
import { insertBlob } from "../blobs/blobs.ts";
import { registerFile } from "../files/register-file.ts";
import { arrayLiteral } from "../array-literal.ts";
import type { Db, Queryable, Tx } from "../pool.ts";
import { withTx } from "../tx.ts";
import { writeOutcome } from "./answer-retries.ts";
import { writeHistory } from "./history.ts";

/** A retry whose result is durable and not in the files yet. */
export interface AnsweredRetry {
  readonly id: number;
  readonly line: number;
  readonly failed: boolean;
  /** Where the new result line lies: the segment's key, and there. */
  readonly key: string;
  readonly offset: number;
  readonly length: number;
}

/** What becomes of one of the batch's two files. `oldBlob` is what the new content was made of. */
export type FileChange =
  /** Nothing new is in it, or its owner has deleted it. */
  | { readonly kind: "keep" }
  | { readonly kind: "create"; readonly file: ResultFile }
  | {
      readonly kind: "replace";
      readonly fileId: string;
      readonly oldBlob: string;
      readonly content: { readonly key: string; readonly bytes: number; readonly etag: string };
    }
  /** No line of its kind is left. */
  | { readonly kind: "remove"; readonly fileId: string; readonly oldBlob: string }
  /** No line of its kind is left, and the file is gone already: the batch names it no longer. */
  | { readonly kind: "forget"; readonly fileId: string };

export interface Publication {
  /** As it was when its files were made: with another count of failed lines somebody else has published meanwhile. */
  readonly batch: { readonly batchNo: number; readonly day: number; readonly failed: number };
  readonly retries: readonly AnsweredRetry[];
  readonly output: FileChange;
  readonly error: FileChange;
}

/** The answered retries of a batch, ordered by the place of their results. */
export async function answeredRetries(db: Queryable, batchNo: number): Promise<AnsweredRetry[]> {
  const { rows } = await db.query<AnsweredRetry>(
    `/* retries.answered */
    select m.id, m.line, m.failed, s.key, m.segment_offset as offset, m.length
    from retries m join segments s on s.id = m.segment
    where m.batch_no = $1 and m.state = 'answered' order by m.segment, m.segment_offset`,
    [batchNo],
  );
  return rows;
}

class LostRaceError extends Error {}

/** False where somebody else published first, or a file was deleted meanwhile: the caller deletes its own objects. */
export async function publishRetries(db: Db, publication: Publication, now: Date): Promise<boolean> {
  try {
    await withTx(db, async (tx) => {
      const { batch, retries } = publication;
      await tx.query("/* retries.lock */ select 1 from batch_progress where batch_no = $1 for no key update", [
        batch.batchNo,
      ]);
      await compareAndSet(
        tx,
        "/* retries.unchanged */ select 1 from batch_progress where batch_no = $1 and failed = $2",
        [batch.batchNo, batch.failed],
      );
      await change(tx, batch.batchNo, "output", publication.output, now);
      await change(tx, batch.batchNo, "error", publication.error, now);
      const ids = arrayLiteral(retries.map((retry) => retry.id));
      const { rowCount } = await tx.query(
        `/* retries.publish */
        update retries set state = case when failed then 'failed' else 'succeeded' end where id = any($1) and state = 'answered'`,
        [ids],
      );
      if (rowCount !== retries.length) throw new LostRaceError();
      await replaceIndexRows(tx, batch, ids);
      await writeOutcome(tx, batch.batchNo, retries, now);
      const details = { output: publication.output.kind, error: publication.error.kind };
      await writeHistory(tx, { batchNo: batch.batchNo, at: now, what: "files_rebuilt", details });
    });
    return true;
  } catch (error) {
    if (error instanceof LostRaceError) return false;
    throw error;
  }
}

async function change(tx: Tx, batchNo: number, kind: "output" | "error", change: FileChange, now: Date): Promise<void> {
  switch (change.kind) {
    case "keep":
      return;
    case "create": {
      const { file } = change;
      await registerFile(tx, file, file.etag);
      await setFileId(tx, batchNo, kind, null, file.id);
      return;
    }
    case "replace": {
      await insertBlob(tx, change.content);
      await compareAndSet(
        tx,
        `/* retries.replace_file */
        update files set blob = $4, bytes = $5
        where id = $1 and blob = $2 and deleted_at is null and (expires_at is null or expires_at > $3)`,
        [change.fileId, change.oldBlob, now, change.content.key, change.content.bytes],
      );
      await retire(tx, change.oldBlob);
      return;
    }
    case "remove":
      await compareAndSet(
        tx,
        "/* retries.remove_file */ update files set deleted_at = $3 where id = $1 and blob = $2 and deleted_at is null",
        [change.fileId, change.oldBlob, now],
      );
      await setFileId(tx, batchNo, kind, change.fileId, null);
      await retire(tx, change.oldBlob);
      return;
    case "forget":
      await setFileId(tx, batchNo, kind, change.fileId, null);
  }
}

async function setFileId(
  tx: Tx,
  batchNo: number,
  kind: "output" | "error",
  from: string | null,
  to: string | null,
): Promise<void> {
  const column = `${kind}_file_id`;
  await compareAndSet(
    tx,
    `/* retries.set_${kind}_file */ update batches set ${column} = $3 where batch_no = $1 and ${column} is not distinct from $2`,
    [batchNo, from, to],
  );
}

async function compareAndSet(tx: Tx, statement: string, values: readonly unknown[]): Promise<void> {
  const { rowCount } = await tx.query(statement, [...values]);
  if (rowCount !== 1) throw new LostRaceError();
}

/** By the database's clock, as the age of blobs is. */
async function retire(tx: Tx, key: string): Promise<void> {
  await tx.query("/* retries.retire */ update blobs set retired_at = clock_timestamp() where key = $1", [key]);
}

async function replaceIndexRows(tx: Tx, batch: Publication["batch"], ids: string): Promise<void> {
  await tx.query(
    `/* retries.progress */
    update batch_progress p set seq = p.seq + 1, completed = p.completed + v.succeeded, failed = p.failed - v.succeeded,
      input_tokens = p.input_tokens + v.input_tokens, output_tokens = p.output_tokens + v.output_tokens,
      total_tokens = p.total_tokens + v.total_tokens, cached_tokens = p.cached_tokens + v.cached_tokens,
      reasoning_tokens = p.reasoning_tokens + v.reasoning_tokens
    from (select count(*) filter (where not failed) as succeeded, sum(input_tokens) as input_tokens,
        sum(output_tokens) as output_tokens, sum(total_tokens) as total_tokens, sum(cached_tokens) as cached_tokens,
        sum(reasoning_tokens) as reasoning_tokens
      from retries where id = any($2)) v
    where p.batch_no = $1`,
    [batch.batchNo, ids],
  );
  await tx.query(
    `/* retries.index */
    insert into lines (day, batch_no, line, segment, segment_offset, length, failed, exhausted, request_gen, seq)
    select $1, m.batch_no, m.line, m.segment, m.segment_offset, m.length, m.failed, m.exhausted, m.request_gen, p.seq
    from retries m join batch_progress p on p.batch_no = m.batch_no where m.id = any($2)
    on conflict (day, batch_no, line) do update set segment = excluded.segment, segment_offset = excluded.segment_offset,
      length = excluded.length, failed = excluded.failed, exhausted = excluded.exhausted,
      request_gen = excluded.request_gen, seq = excluded.seq`,
    [batch.day, ids],
  );
  await tx.query(
    `/* retries.extents */
    insert into extents (batch_no, seq, kind, segment, segment_offset, length, lines)
    select m.batch_no, p.seq, case when m.failed then 'error' else 'output' end, m.segment, m.segment_offset, m.length, 1
    from retries m join batch_progress p on p.batch_no = m.batch_no where m.id = any($1)`,
    [ids],
  );
}
