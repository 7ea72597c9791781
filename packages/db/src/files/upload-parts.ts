/** The parts of uploads. Each part is an object until its upload ends. */
import type { Queryable, Tx } from "../pool.ts";

export interface UploadPartView {
  id: string;
  bytes: number;
  /** The key of the part's object. */
  blob: string;
}

export interface NewUploadPart extends UploadPartView {
  upload: string;
  createdAt: Date;
}

/** Inserts a part, after its blob. The caller holds the lock of `lockUpload`, which found the upload pending. */
export async function insertPart(tx: Tx, part: NewUploadPart): Promise<void> {
  await tx.query(
    "/* uploads.insert_part */ insert into upload_parts (id, upload, bytes, blob, created_at) values ($1, $2, $3, $4, $5)",
    [part.id, part.upload, part.bytes, part.blob, part.createdAt],
  );
}

/** Returns the number of parts of an upload, and the sum of their bytes. */
export async function partsTotal(db: Queryable, upload: string): Promise<{ parts: number; bytes: number }> {
  const { rows } = await db.query<{ parts: number; bytes: number }>(
    `/* uploads.parts_total */
    select count(*)::int as parts, coalesce(sum(bytes), 0)::bigint as bytes from upload_parts where upload = $1`,
    [upload],
  );
  return rows[0] ?? { parts: 0, bytes: 0 };
}

/** Returns the parts of the upload with these ids, in no particular order. */
export async function findParts(db: Queryable, upload: string, ids: readonly string[]): Promise<UploadPartView[]> {
  const { rows } = await db.query<UploadPartView>(
    "/* uploads.find_parts */ select id, bytes, blob from upload_parts where upload = $1 and id = any($2)",
    [upload, ids],
  );
  return rows;
}

/** Returns the blob keys of all parts of an upload. */
export async function partBlobs(db: Queryable, upload: string): Promise<string[]> {
  const { rows } = await db.query<{ blob: string }>(
    "/* uploads.part_blobs */ select blob from upload_parts where upload = $1",
    [upload],
  );
  return rows.map((row) => row.blob);
}

/** Returns the blob keys of up to `limit` parts that were left behind when their uploads ended. */
export async function unneededPartBlobs(db: Queryable, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ blob: string }>(
    `/* uploads.unneeded_parts */
    select p.blob from upload_parts p join uploads u on u.id = p.upload where u.status <> 'pending' limit $1`,
    [limit],
  );
  return rows.map((row) => row.blob);
}
