/** The one place where a batch changes its state: compare-and-set, with the new state's timestamp in the same statement. */
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
      /** Where the first line begins in the input. */
      firstByte: number;
    }
  | { to: "failed"; errors: BatchError[] }
  | { to: "finalizing" }
  | { to: "cancelling" }
  | { to: "completed" | "expired" | "cancelled"; outputFileId: string | null; errorFileId: string | null };

/**
 * Moves a batch if its present state allows it (domain `canMove`); false means that somebody else moved it first. `now` is
 * the caller's clock; the timestamp is never before an earlier one of the same batch. The same statement writes what a
 * final state means for webhooks.
 */
export async function moveBatch(db: Queryable, number: number, move: BatchMove, now: Date): Promise<boolean> {
  const columns = columnsOf(move);
  const assignments = Object.keys(columns).map((column, i) => `, ${column} = $${String(i + 5)}`);
  const update = `update batches set status = $2,
      ${move.to}_at = greatest($3::timestamptz, created_at, in_progress_at, finalizing_at, cancelling_at)${assignments.join("")}
    where batch_no = $1 and status = any($4)`;
  const { rowCount } = await db.query(
    `/* batches.move_to_${move.to} */
    ${isFinal(move.to) ? withOutbox(`${update} returning id, tenant, ${move.to}_at as at`) : update}`,
    [number, move.to, now, sourcesOf(move.to), ...Object.values(columns)],
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
