/** The objects behind files. A blob's row exists before its object does, and until the object is deleted. */
import type { Queryable } from "../pool.ts";

/**
 * Inserts or updates a blob. Called before the object is written, so that maintenance finds the object after a crash.
 */
export async function insertBlob(db: Queryable, blob: { key: string; bytes: number; etag: string }): Promise<void> {
  await db.query(
    `/* blobs.insert */
    insert into blobs (key, bytes, etag) values ($1, $2, $3)
    on conflict (key) do update set bytes = excluded.bytes, etag = excluded.etag`,
    [blob.key, blob.bytes, blob.etag],
  );
}

/**
 * Returns the keys of up to `limit` blobs that can be deleted. These blobs are older than `minAgeSeconds`, and no live
 * file, unfinished batch, pending upload or open retry needs them.
 * - The minimum age protects uploads in progress, which have no file yet, and downloads of a file's previous content.
 * - The index of a batch with failed lines stays while its input file is live, because a retry needs both.
 * - A batch in `validating` has no blob yet. It may be about to take over the blob of its input file, even if the
 *   tenant has deleted that file.
 */
export async function unneededBlobs(db: Queryable, now: Date, minAgeSeconds: number, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ key: string }>(
    `/* blobs.unneeded */
    select key from blobs
    where greatest(created_at, retired_at) < clock_timestamp() - $2 * interval '1 second'
      and not exists (select 1 from files f where f.blob = key and f.deleted_at is null
        and (f.expires_at is null or f.expires_at > $1))
      and not exists (select 1 from upload_parts p join uploads u on u.id = p.upload
        where p.blob = key and u.status = 'pending' and u.expires_at > $1)
      and not exists (select 1 from batches b where (b.input_blob = key or b.index_blob = key)
        and (b.status in ('validating', 'in_progress', 'finalizing', 'cancelling')
          or exists (select 1 from retries m where m.batch_no = b.batch_no and m.state in ('open', 'answered'))))
      and not exists (select 1 from files f join batches b on b.input_file_id = f.id and b.tenant = f.tenant
        where f.blob = key and b.status = 'validating')
      and not exists (select 1 from batches b join batch_progress p on p.batch_no = b.batch_no and p.failed > 0
        join files f on f.id = b.input_file_id and f.tenant = b.tenant and f.deleted_at is null
          and (f.expires_at is null or f.expires_at > $1)
        where b.index_blob = key)
    order by created_at limit $3`,
    [now, minAgeSeconds, limit],
  );
  return rows.map((row) => row.key);
}

/** Deletes the rows of blobs whose objects are deleted. Files and batches keep their rows, upload parts do not. */
export async function forgetBlobs(db: Queryable, keys: readonly string[]): Promise<void> {
  await db.query(
    `/* blobs.forget */
    with freed_files as (update files set blob = null where blob = any($1)),
      gone_parts as (delete from upload_parts where blob = any($1)),
      freed_batches as (
        update batches set input_blob = case when input_blob = any($1) then null else input_blob end,
          index_blob = case when index_blob = any($1) then null else index_blob end
        where input_blob = any($1) or index_blob = any($1))
    delete from blobs where key = any($1)`,
    [keys],
  );
}
