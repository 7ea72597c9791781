/**
 * The only place that changes the status of a batch: a compare-and-set that also sets the timestamp of the new status.
 */
import { isFinal, sourcesOf, type BatchError } from "@nightshift/domain";
import type { Queryable } from "../pool.ts";
import { withOutbox } from "../webhooks/outbox.ts";

export type BatchMove =
  | {
      to: "in_progress";
      upstream: string;
      model: string | null;
      inputBlob: string;
      indexBlob: string;
      total: number;
      /** The offset of the first line in the input. */
      firstByte: number;
    }
  | { to: "failed"; errors: BatchError[] }
  | { to: "finalizing" }
  | { to: "cancelling" }
  | { to: "completed" | "expired" | "cancelled"; outputFileId: string | null; errorFileId: string | null };

/**
 * Moves a batch if its current status allows it (`canMove` of the domain). Returns false if another process moved the
 * batch first. `now` is the caller's clock, but the timestamp is never before an earlier one of the batch. For a final
 * status, the same statement inserts the webhook event and its deliveries.
 */
export async function moveBatch(db: Queryable, batchNo: number, move: BatchMove, now: Date): Promise<boolean> {
  const columns = columnsOf(move);
  const assignments = Object.keys(columns).map((column, i) => `, ${column} = $${String(i + 5)}`);
  const update = `update batches set status = $2,
      ${move.to}_at = greatest($3::timestamptz, created_at, in_progress_at, finalizing_at, cancelling_at)
      ${assignments.join("")}
    where batch_no = $1 and status = any($4)`;
  const { rowCount } = await db.query(
    `/* batches.move_to_${move.to} */
    ${isFinal(move.to) ? withOutbox(`${update} returning id, tenant, ${move.to}_at as at`) : update}`,
    [batchNo, move.to, now, sourcesOf(move.to), ...Object.values(columns)],
  );
  return rowCount === 1;
}

function columnsOf(move: BatchMove): Record<string, unknown> {
  switch (move.to) {
    case "in_progress":
      return {
        upstream: move.upstream,
        model: move.model,
        input_blob: move.inputBlob,
        index_blob: move.indexBlob,
        total: move.total,
        fed_bytes: move.firstByte,
      };
    case "failed":
      return { errors: JSON.stringify(move.errors) };
    case "finalizing":
    case "cancelling":
      return {};
    case "completed":
    case "expired":
    case "cancelled":
      return { output_file_id: move.outputFileId, error_file_id: move.errorFileId };
  }
}
