/** The rows of files: read, inserted, deleted, counted. */
import type { Queryable, Tx } from "../pool.ts";
import { insertBlob } from "./blobs.ts";

export interface FileView {
  id: string;
  tenant: string;
  purpose: string;
  /** The name from the upload, without folders. */
  filename: string;
  /** The exact size of the content. */
  bytes: number;
  createdAt: Date;
  /** The time from which the API answers as if the file did not exist. Null if the file does not expire. */
  expiresAt: Date | null;
  /** The key of the content in the object store. */
  blob: string;
  /** Changes whenever the content does. */
  etag: string;
}

/** The select list and the join that make a FileView. */
export const SELECT_FILE = `
  select f.id, f.tenant, f.purpose, f.filename, f.bytes, f.created_at as "createdAt", f.expires_at as "expiresAt",
    f.blob, b.etag
  from files f join blobs b on b.key = f.blob`;

/** True for a file of tenant $1 that is neither deleted nor expired at $2. */
export const FILE_IS_LIVE = "f.tenant = $1 and f.deleted_at is null and (f.expires_at is null or f.expires_at > $2)";

/** Returns null if the tenant does not have this file, or if the file is deleted or has expired at `now`. */
export async function findFile(db: Queryable, tenant: string, id: string, now: Date): Promise<FileView | null> {
  const { rows } = await db.query<FileView>(`/* files.find */ ${SELECT_FILE} where ${FILE_IS_LIVE} and f.id = $3`, [
    tenant,
    now,
    id,
  ]);
  return rows[0] ?? null;
}

export interface NewFile {
  id: string;
  tenant: string;
  purpose: string;
  filename: string;
  bytes: number;
  /** The key of a blob that `insertBlob` has inserted. */
  blob: string;
  createdAt: Date;
  expiresAt: Date | null;
}

/** Inserts a file whose bytes are already in the object store. The tenant sees it as soon as this commits. */
export async function insertFile(db: Queryable, file: NewFile): Promise<void> {
  await db.query(
    `/* files.insert */
    insert into files (id, tenant, purpose, filename, bytes, blob, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [file.id, file.tenant, file.purpose, file.filename, file.bytes, file.blob, file.createdAt, file.expiresAt],
  );
}

/** Makes a blob whose object is written into a file: completes the row of the blob, and inserts the file. */
export async function registerFile(tx: Tx, file: NewFile, etag: string): Promise<void> {
  await insertBlob(tx, { key: file.blob, bytes: file.bytes, etag });
  await insertFile(tx, file);
}

/**
 * Marks a file as deleted. Maintenance deletes the bytes once nothing needs them. Returns false if the tenant does not
 * have this file, or if the file is already deleted or has expired at `now`.
 */
export async function deleteFile(db: Queryable, tenant: string, id: string, now: Date): Promise<boolean> {
  const { rowCount } = await db.query(
    `/* files.delete */ update files f set deleted_at = $2 where ${FILE_IS_LIVE} and f.id = $3`,
    [tenant, now, id],
  );
  return rowCount === 1;
}

/**
 * Deletes the rows of up to `limit` files that were deleted or expired before `before` and whose bytes are gone, oldest
 * first. Returns the number of deleted rows. After that, `after` in a list cannot name these files either.
 */
export async function forgetFiles(db: Queryable, before: Date, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `/* files.forget */
    delete from files where number in (
      select number from files where blob is null and least(deleted_at, expires_at) <= $1 order by number limit $2)`,
    [before, limit],
  );
  return rowCount ?? 0;
}

/**
 * Returns the total size of all live files of a tenant, in bytes, including the output and error files of its batches.
 */
export async function storedBytes(db: Queryable, tenant: string, now: Date): Promise<number> {
  const { rows } = await db.query<{ bytes: number }>(
    `/* tenants.stored_bytes */ select coalesce(sum(f.bytes), 0)::bigint as bytes from files f where ${FILE_IS_LIVE}`,
    [tenant, now],
  );
  return rows[0]?.bytes ?? 0;
}
