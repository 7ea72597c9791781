/** Sealed batch → its files and its final state. Writes to fresh keys; a compare-and-set picks the winner of a race. */
import { deleteBlobs } from "@nightshift/backends";
import { finishBatch, type BatchView, type Finish, type ResultFile } from "@nightshift/db";
import type { ResultKind } from "@nightshift/domain";
import type { WorkerDeps } from "../deps.ts";
import { errorFile, outputFile, type ResultContent } from "./result-files.ts";
import { writeResultFile } from "./write-result-file.ts";

type AssembleDeps = Pick<WorkerDeps, "db" | "objects" | "clock" | "logger" | "batchFileLifeSeconds">;

const FINAL: Readonly<Record<NonNullable<BatchView["sealedAs"]>, Finish["to"]>> = {
  done: "completed",
  expired: "expired",
  cancelled: "cancelled",
};

/** False where another assembler had finished the batch first; its files are the batch's, ours are gone. */
export async function assembleBatch(deps: AssembleDeps, batch: BatchView): Promise<boolean> {
  if (batch.sealedAs === null) throw new Error(`batch ${batch.id} is not sealed`);
  const output = await written(deps, batch, "output", await outputFile(deps, batch));
  const error = await written(deps, batch, "error", await errorFile(deps, batch));
  const finish = { batchNo: batch.batchNo, to: FINAL[batch.sealedAs], output, error };
  if (await finishBatch(deps.db, finish, deps.clock())) return true;
  const keys = [output, error].flatMap((file) => (file === null ? [] : [file.blob]));
  await deleteBlobs(deps, keys);
  return false;
}

function written(
  deps: AssembleDeps,
  batch: BatchView,
  resultKind: ResultKind,
  content: ResultContent | null,
): Promise<ResultFile> | null {
  return content === null ? null : writeResultFile(deps, batch, resultKind, content);
}
