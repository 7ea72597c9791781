/** Uploads: files that arrive in parts. */
import type { UploadStatus } from "@nightshift/domain";
import type { Queryable, Tx } from "../pool.ts";

export interface NewUpload {
  id: string;
  tenant: string;
  purpose: string;
  filename: string;
  /** The value that the client sent. Nothing uses it. */
  mimeType: string;
  /** The expected sum of the parts. */
  bytes: number;
  /** The lifetime of the file. Null if the file does not expire. */
  fileExpiresAfterSeconds: number | null;
  createdAt: Date;
  expiresAt: Date;
}

export interface UploadView extends NewUpload {
  /** `expired` from `expiresAt` on, even before maintenance updates the row. */
  status: UploadStatus;
  /** Null until the upload is completed, like the two fields below. */
  completedAt: Date | null;
  fileId: string | null;
  /** The parts of the file, in order. */
  partIds: string[] | null;
}

/** Needs the current time as $1. */
const SELECT_UPLOAD = `
  select u.id, u.tenant, u.purpose, u.filename, u.mime_type as "mimeType", u.bytes,
    u.file_expires_after_seconds as "fileExpiresAfterSeconds", u.created_at as "createdAt", u.expires_at as "expiresAt",
    case when u.status = 'pending' and u.expires_at <= $1 then 'expired' else u.status end as status,
    u.completed_at as "completedAt", u.file_id as "fileId", u.part_ids as "partIds"
  from uploads u`;

/** Inserts a pending upload. */
export async function insertUpload(db: Queryable, upload: NewUpload): Promise<void> {
  await db.query(
    `/* uploads.insert */
    insert into uploads (id, tenant, purpose, filename, mime_type, bytes, file_expires_after_seconds, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      upload.id,
      upload.tenant,
      upload.purpose,
      upload.filename,
      upload.mimeType,
      upload.bytes,
      upload.fileExpiresAfterSeconds,
      upload.createdAt,
      upload.expiresAt,
    ],
  );
}

/** Returns the upload as of `now`, or null if the tenant does not have an upload with this id. */
export async function findUpload(db: Queryable, tenant: string, id: string, now: Date): Promise<UploadView | null> {
  const { rows } = await db.query<UploadView>(`/* uploads.find */ ${SELECT_UPLOAD} where u.tenant = $2 and u.id = $3`, [
    now,
    tenant,
    id,
  ]);
  return rows[0] ?? null;
}

/**
 * Like `findUpload`, but also locks the upload. Until the transaction ends, no other transaction can add a part or end
 * the upload.
 */
export async function lockUpload(tx: Tx, tenant: string, id: string, now: Date): Promise<UploadView | null> {
  const { rows } = await tx.query<UploadView>(
    `/* uploads.lock */ ${SELECT_UPLOAD} where u.tenant = $2 and u.id = $3 for update`,
    [now, tenant, id],
  );
  return rows[0] ?? null;
}

export interface UploadCompletion {
  fileId: string;
  /** The ids of the parts, in the order of the file. */
  partIds: readonly string[];
  completedAt: Date;
}

/** Completes an upload that `lockUpload` found pending. The same transaction inserts its file. */
export async function markCompleted(tx: Tx, id: string, completion: UploadCompletion): Promise<void> {
  await tx.query(
    `/* uploads.complete */
    update uploads set status = 'completed', file_id = $2, part_ids = $3, completed_at = $4 where id = $1`,
    [id, completion.fileId, completion.partIds, completion.completedAt],
  );
}

/** Cancels an upload that `lockUpload` found pending. After that, nothing needs its parts. */
export async function markCancelled(tx: Tx, id: string): Promise<void> {
  await tx.query("/* uploads.cancel */ update uploads set status = 'cancelled' where id = $1", [id]);
}

/**
 * Marks every pending upload that has expired at `now`, so that its parts can be deleted. Returns the number of
 * uploads.
 */
export async function expireUploads(db: Queryable, now: Date): Promise<number> {
  const { rowCount } = await db.query(
    "/* uploads.expire */ update uploads set status = 'expired' where status = 'pending' and expires_at <= $1",
    [now],
  );
  return rowCount ?? 0;
}
