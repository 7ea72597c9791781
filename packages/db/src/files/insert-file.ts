/** Writes a new file, whose bytes are in the object store already. */
import type { Queryable } from "../pool.ts";

export interface NewFile {
  id: string;
  tenant: string;
  purpose: string;
  filename: string;
  bytes: number;
  /** Key of a blob that `insertBlob` has noted. */
  blob: string;
  createdAt: Date;
  expiresAt: Date | null;
}

/** Inserts the file; the tenant sees it as soon as this commits. */
export async function insertFile(db: Queryable, file: NewFile): Promise<void> {
  await db.query(
    `/* files.insert */
    insert into files (id, tenant, purpose, filename, bytes, blob, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [file.id, file.tenant, file.purpose, file.filename, file.bytes, file.blob, file.createdAt, file.expiresAt],
  );
}
