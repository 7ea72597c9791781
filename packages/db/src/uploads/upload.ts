/** Uploads as they are written first and read. */
import type { UploadStatus } from "@nightshift/domain";
import type { Queryable, Tx } from "../pool.ts";

export interface NewUpload {
  id: string;
  tenant: string;
  purpose: string;
  filename: string;
  /** As the client said; nothing looks at it. */
  mimeType: string;
  /** What its parts must have together. */
  bytes: number;
  /** Seconds that its file will live; null: for ever. */
  fileExpiresAfterSeconds: number | null;
  createdAt: Date;
  expiresAt: Date;
}

export interface UploadView extends NewUpload {
  /** `expired` from `expiresAt` on, also where maintenance has not written so yet. */
  status: UploadStatus;
  /** This one and those below are null until it is completed. */
  completedAt: Date | null;
  fileId: string | null;
  /** The parts that its file was made of, in order. */
  partIds: string[] | null;
}

/** $1 is the present. */
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

/** The upload as it is at `now`; null where the tenant has none of that id. */
export async function findUpload(db: Queryable, tenant: string, id: string, now: Date): Promise<UploadView | null> {
  const { rows } = await db.query<UploadView>(`/* uploads.find */ ${SELECT_UPLOAD} where u.tenant = $2 and u.id = $3`, [
    now,
    tenant,
    id,
  ]);
  return rows[0] ?? null;
}

/** The same, and no other transaction adds a part to it or ends it before this one is over. */
export async function lockUpload(tx: Tx, tenant: string, id: string, now: Date): Promise<UploadView | null> {
  const { rows } = await tx.query<UploadView>(
    `/* uploads.lock */ ${SELECT_UPLOAD} where u.tenant = $2 and u.id = $3 for update`,
    [now, tenant, id],
  );
  return rows[0] ?? null;
}
