/**
 * Publishes the results of a finished batch's retries. One transaction changes index, counts, usage, files and the
 * states of the retries. So a reader sees the batch either before or after the change.
 */
import type { ResultKind } from "@nightshift/domain";
import type { ResultFile } from "../batches/finish-batch.ts";
import { insertHistoryEntry, insertRetryOutcomes } from "../batches/history.ts";
import { insertBlob } from "../files/blobs.ts";
import { registerFile } from "../files/files.ts";
import type { Db, Queryable, Tx } from "../pool.ts";
import { arrayLiteral, eachTokenColumn } from "../sql.ts";
import { commitIfFirst, LostRaceError } from "../tx.ts";

/** A retry whose result is durable, but not yet in the files. */
export interface AnsweredRetry {
  readonly id: number;
  readonly line: number;
  readonly failed: boolean;
  /** The place of the new result line: the segment's key, and the bytes in it. */
  readonly key: string;
  readonly offset: number;
  readonly length: number;
}

/** The change to one of the batch's two files. `oldBlob` is the content that the new content is based on. */
export type FileChange =
  /** The content does not change, or the tenant has deleted the file. */
  | { readonly kind: "keep" }
  | { readonly kind: "create"; readonly file: ResultFile }
  | {
      readonly kind: "replace";
      readonly fileId: string;
      readonly oldBlob: string;
      readonly content: { readonly key: string; readonly bytes: number; readonly etag: string };
    }
  /** The file would be empty. */
  | { readonly kind: "remove"; readonly fileId: string; readonly oldBlob: string }
  /** The file would be empty, and is already deleted: the batch drops its id. */
  | { readonly kind: "forget"; readonly fileId: string };

export interface Publication {
  /**
   * The number of failed lines when the files were written. If the number differs now, another process has published
   * since.
   */
  readonly batch: { readonly batchNo: number; readonly day: number; readonly failed: number };
  readonly retries: readonly AnsweredRetry[];
  readonly output: FileChange;
  readonly error: FileChange;
}

/** Returns the answered retries of a batch, ordered by the place of their results. */
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

/**
 * Returns false if another process published first, or if a file was deleted. The caller then deletes its own objects.
 */
export async function publishRetries(db: Db, publication: Publication, now: Date): Promise<boolean> {
  const { batch, retries, output, error } = publication;
  return commitIfFirst(db, async (tx) => {
    await tx.query("/* retries.lock */ select 1 from batch_progress where batch_no = $1 for no key update", [
      batch.batchNo,
    ]);
    await compareAndSet(
      tx,
      "/* retries.unchanged */ select 1 from batch_progress where batch_no = $1 and failed = $2",
      [batch.batchNo, batch.failed],
    );
    await changeFile(tx, batch.batchNo, "output", output, now);
    await changeFile(tx, batch.batchNo, "error", error, now);
    const ids = arrayLiteral(retries.map((retry) => retry.id));
    const { rowCount } = await tx.query(
      `/* retries.publish */
      update retries set state = case when failed then 'failed' else 'succeeded' end
      where id = any($1) and state = 'answered'`,
      [ids],
    );
    if (rowCount !== retries.length) throw new LostRaceError();
    await replaceIndexRows(tx, batch, ids);
    await insertRetryOutcomes(tx, batch.batchNo, retries, now);
    const details = { output: output.kind, error: error.kind };
    await insertHistoryEntry(tx, { batchNo: batch.batchNo, at: now, what: "files_rebuilt", details });
  });
}

async function changeFile(
  tx: Tx,
  batchNo: number,
  resultKind: ResultKind,
  change: FileChange,
  now: Date,
): Promise<void> {
  switch (change.kind) {
    case "keep":
      return;
    case "create": {
      const { file } = change;
      await registerFile(tx, file, file.etag);
      await setFileId(tx, batchNo, resultKind, null, file.id);
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
      await retireBlob(tx, change.oldBlob);
      return;
    }
    case "remove":
      await compareAndSet(
        tx,
        "/* retries.remove_file */ update files set deleted_at = $3 where id = $1 and blob = $2 and deleted_at is null",
        [change.fileId, change.oldBlob, now],
      );
      await setFileId(tx, batchNo, resultKind, change.fileId, null);
      await retireBlob(tx, change.oldBlob);
      return;
    case "forget":
      await setFileId(tx, batchNo, resultKind, change.fileId, null);
  }
}

async function setFileId(
  tx: Tx,
  batchNo: number,
  resultKind: ResultKind,
  from: string | null,
  to: string | null,
): Promise<void> {
  const column = `${resultKind}_file_id`;
  await compareAndSet(
    tx,
    `/* retries.set_${resultKind}_file */
    update batches set ${column} = $3 where batch_no = $1 and ${column} is not distinct from $2`,
    [batchNo, from, to],
  );
}

async function compareAndSet(tx: Tx, statement: string, values: readonly unknown[]): Promise<void> {
  const { rowCount } = await tx.query(statement, [...values]);
  if (rowCount !== 1) throw new LostRaceError();
}

/** Uses the database's clock, like the age of blobs. */
async function retireBlob(tx: Tx, key: string): Promise<void> {
  await tx.query("/* retries.retire */ update blobs set retired_at = clock_timestamp() where key = $1", [key]);
}

async function replaceIndexRows(tx: Tx, batch: Publication["batch"], ids: string): Promise<void> {
  await tx.query(
    `/* retries.progress */
    update batch_progress p set seq = p.seq + 1, completed = p.completed + v.succeeded, failed = p.failed - v.succeeded,
      ${eachTokenColumn((column) => `${column} = p.${column} + v.${column}`)}
    from (select count(*) filter (where not failed) as succeeded,
        ${eachTokenColumn((column) => `sum(${column}) as ${column}`)}
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
    insert into extents (batch_no, seq, result_kind, segment, segment_offset, length, lines)
    select m.batch_no, p.seq, case when m.failed then 'error' else 'output' end, m.segment, m.segment_offset,
      m.length, 1
    from retries m join batch_progress p on p.batch_no = m.batch_no where m.id = any($1)`,
    [ids],
  );
}
