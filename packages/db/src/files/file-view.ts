/** A file as it is read: its row, and where its bytes are. */

export interface FileView {
  id: string;
  tenant: string;
  purpose: string;
  /** As it was uploaded, without folders. */
  filename: string;
  /** Exact size of the content. */
  bytes: number;
  createdAt: Date;
  /** From then on the file behaves as not there; null: never. */
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

/** True of a file that is there for its tenant; $2 is the present. */
export const FILE_IS_LIVE = "f.tenant = $1 and f.deleted_at is null and (f.expires_at is null or f.expires_at > $2)";
