/**
 * Builds the result files of a sealed batch and sets its final state. Writes to new keys; if two workers assemble the
 * same batch, a compare-and-set picks the winner.
 */
import { deleteBlobs } from "@nightshift/backends";
import { finishBatch, type BatchView, type Finish, type ResultFile } from "@nightshift/db";
import type { ResultKind } from "@nightshift/domain";
import type { WorkerDeps } from "../../deps.ts";
import { errorFile, outputFile, type ResultContent } from "./result-files.ts";
import { writeResultFile } from "./write-result-file.ts";

type AssembleDeps = Pick<WorkerDeps, "db" | "objects" | "clock" | "logger" | "batchFileLifeSeconds">;

const FINAL: Readonly<Record<NonNullable<BatchView["sealedAs"]>, Finish["to"]>> = {
  done: "completed",
  expired: "expired",
  cancelled: "cancelled",
};

/**
 * Resolves with false if another worker finished the batch first. In that case, this worker's files are deleted again.
 */
export async function assembleBatch(deps: AssembleDeps, batch: BatchView): Promise<boolean> {
  if (batch.sealedAs === null) throw new Error(`batch ${batch.id} is not sealed`);
  const output = await writeIfAny(deps, batch, "output", await outputFile(deps, batch));
  const error = await writeIfAny(deps, batch, "error", await errorFile(deps, batch));
  const finish = { batchNo: batch.batchNo, to: FINAL[batch.sealedAs], output, error };
  if (await finishBatch(deps.db, finish, deps.clock())) return true;
  const keys = [output, error].flatMap((file) => (file === null ? [] : [file.blob]));
  await deleteBlobs(deps, keys);
  return false;
}

function writeIfAny(
  deps: AssembleDeps,
  batch: BatchView,
  resultKind: ResultKind,
  content: ResultContent | null,
): Promise<ResultFile> | null {
  return content === null ? null : writeResultFile(deps, batch, resultKind, content);
}
