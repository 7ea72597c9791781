/** How an upload ends by its client's wish. Both need the lock of `lockUpload`, and that it was found pending under it. */
import type { Tx } from "../pool.ts";

export interface UploadCompletion {
  fileId: string;
  /** In the order of the file. */
  partIds: readonly string[];
  completedAt: Date;
}

/** Writes what the upload became; its file is inserted by the same transaction. */
export async function markCompleted(tx: Tx, id: string, completion: UploadCompletion): Promise<void> {
  await tx.query(
    `/* uploads.complete */
    update uploads set status = 'completed', file_id = $2, part_ids = $3, completed_at = $4 where id = $1`,
    [id, completion.fileId, completion.partIds, completion.completedAt],
  );
}

/** From then on its parts are nobody's. */
export async function markCancelled(tx: Tx, id: string): Promise<void> {
  await tx.query("/* uploads.cancel */ update uploads set status = 'cancelled' where id = $1", [id]);
}
