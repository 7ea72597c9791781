/** Sealed batch → its files and its final state. Writes to fresh keys; a compare-and-set picks the winner of a race. */
import { randomBytes } from "node:crypto";
import { finishBatch, forgetBlobs, insertBlob, type BatchView, type Finish, type ResultFile } from "@nightshift/db";
import { newFileId } from "@nightshift/domain";
import type { WorkerDeps } from "../deps.ts";
import { errorFile, outputFile, type ResultContent } from "./result-files.ts";

type AssembleDeps = Pick<WorkerDeps, "db" | "objects" | "clock" | "logger" | "batchFileLifeSeconds">;

const FINAL: Readonly<Record<NonNullable<BatchView["sealedAs"]>, Finish["to"]>> = {
  done: "completed",
  expired: "expired",
  cancelled: "cancelled",
};

/** False where another assembler had finished the batch first; its files are the batch's, ours are gone. */
export async function assembleBatch(deps: AssembleDeps, batch: BatchView): Promise<boolean> {
  if (batch.sealedAs === null) throw new Error(`batch ${batch.id} is not sealed`);
  const output = await writeFile(deps, batch, "output", await outputFile(deps, batch));
  const error = await writeFile(deps, batch, "error", await errorFile(deps, batch));
  const finish = { batch: batch.number, to: FINAL[batch.sealedAs], output, error };
  if (await finishBatch(deps.db, finish, deps.clock())) return true;
  const keys = [output, error].flatMap((file) => (file === null ? [] : [file.blob]));
  await deps.objects.delete(keys);
  await forgetBlobs(deps.db, keys);
  return false;
}

async function writeFile(
  deps: AssembleDeps,
  batch: BatchView,
  kind: "output" | "error",
  content: ResultContent | null,
): Promise<ResultFile | null> {
  if (content === null) return null;
  const id = newFileId(randomBytes);
  const blob = `files/${id}`;
  // Noted before it is written: what a crash leaves behind is found by upkeep.
  await insertBlob(deps.db, { key: blob, bytes: 0, etag: "" });
  const { bytes, etag } = await deps.objects.join(blob, content);
  const createdAt = deps.clock();
  const lifeSeconds = batch.outputExpiresAfterSeconds ?? deps.batchFileLifeSeconds;
  return {
    id,
    tenant: batch.tenant,
    purpose: "batch_output",
    filename: `${batch.id}_${kind}.jsonl`,
    bytes,
    blob,
    etag,
    createdAt,
    expiresAt: lifeSeconds === null ? null : new Date(createdAt.getTime() + lifeSeconds * 1_000),
  };
}
