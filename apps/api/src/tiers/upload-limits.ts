/**
 * Applies the limits of a tenant's tier to one upload: before it is read, while it is read, and when it becomes a file.
 */
import { type Db, lockTenant, storedBytes, type Tx } from "@nightshift/db";
import { errors, type RequestError, type TierLimits } from "@nightshift/domain";

/** The bytes that a request's body may have for boundaries and text fields. A real form needs far less. */
const FORM_BYTES = 64 * 1024;

export interface UploadLimit {
  /** The maximum size of the file. Infinity if the tier has no limit. */
  readonly maxBytes: number;
  /** The error for a larger file. */
  readonly refusal: () => RequestError;
}

const NO_LIMIT: UploadLimit = {
  maxBytes: Infinity,
  refusal: () => {
    throw new Error("unreachable: no limit is configured");
  },
};

/**
 * Returns the smaller of `file_bytes` and the room left by `stored_bytes`. Throws at once if the tenant has no room
 * left, or if the Content-Length alone shows that the file is too large.
 */
export async function uploadLimit(
  db: Db,
  { fileBytes, storedBytes: most }: TierLimits,
  upload: { readonly tenant: string; readonly now: Date; readonly contentLength: string | undefined },
): Promise<UploadLimit> {
  const limits: UploadLimit[] = [NO_LIMIT];
  if (fileBytes !== null) limits.push({ maxBytes: fileBytes, refusal: () => errors.tierFileTooLarge(fileBytes) });
  if (most !== null) {
    const room = most - (await storedBytes(db, upload.tenant, upload.now));
    if (room <= 0) throw errors.storageFull(most);
    limits.push({ maxBytes: room, refusal: () => errors.storageFull(most) });
  }
  const narrowest = limits.reduce((a, b) => (b.maxBytes < a.maxBytes ? b : a));
  if (Number(upload.contentLength ?? 0) - FORM_BYTES > narrowest.maxBytes) throw narrowest.refusal();
  return narrowest;
}

/**
 * Throws if the file would exceed `stored_bytes`. Call it in the transaction that inserts the file, before the insert.
 * The lock on the tenant's row makes concurrent uploads of a tenant count one after the other.
 */
export async function reserveStorage(
  tx: Tx,
  { storedBytes: most }: TierLimits,
  file: { readonly tenant: string; readonly bytes: number; readonly createdAt: Date },
): Promise<void> {
  if (most === null) return;
  await lockTenant(tx, file.tenant);
  if ((await storedBytes(tx, file.tenant, file.createdAt)) + file.bytes > most) throw errors.storageFull(most);
}
