/** What a tenant's tier leaves for one upload, before it is read, while it is read, and when it becomes a file. */
import { type Db, lockTenant, storedBytes, type Tx } from "@nightshift/db";
import { errors, type RequestError, type TierLimits } from "@nightshift/domain";

/** What a form's other parts and boundaries may take of a body, generously. */
const FORM_BYTES = 64 * 1024;

export interface UploadLimit {
  /** Bytes that the file may have; Infinity: the tier says nothing. */
  readonly maxBytes: number;
  /** What to answer beyond that. */
  readonly refusal: () => RequestError;
}

const NO_LIMIT: UploadLimit = {
  maxBytes: Infinity,
  refusal: () => {
    throw new Error("nothing exceeds no limit");
  },
};

/**
 * The narrower of `file_bytes` and what `stored_bytes` leaves. Throws at once where the tenant has no room at all, or where the
 * request's Content-Length alone says that the file is too large.
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
 * Within the transaction that inserts a file, before it does: throws where `bytes` more would exceed `stored_bytes`. Uploads of a
 * tenant that end at once are counted one after the other, under the tenant's row lock.
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
