/** Writes a result file of a batch under a new id, and returns the row of the file. */
import { randomBytes } from "node:crypto";
import { writeBlob } from "@nightshift/backends";
import type { BatchView, ResultFile } from "@nightshift/db";
import { newFileId, type ResultKind } from "@nightshift/domain";
import type { WorkerDeps } from "../../deps.ts";
import type { ResultContent } from "./result-files.ts";

export type WriteResultFileDeps = Pick<WorkerDeps, "db" | "objects" | "clock" | "batchFileLifeSeconds">;

/**
 * The caller inserts the row. The file's lifetime comes from the batch, or from the configuration if the batch sets
 * none.
 */
export async function writeResultFile(
  deps: WriteResultFileDeps,
  batch: BatchView,
  resultKind: ResultKind,
  content: ResultContent,
): Promise<ResultFile> {
  const id = newFileId(randomBytes);
  const blob = `files/${id}`;
  const { bytes, etag } = await writeResultBlob(deps, blob, content);
  const createdAt = deps.clock();
  const lifeSeconds = batch.outputExpiresAfterSeconds ?? deps.batchFileLifeSeconds;
  return {
    id,
    tenant: batch.tenant,
    purpose: "batch_output",
    filename: `${batch.id}_${resultKind}.jsonl`,
    bytes,
    blob,
    etag,
    createdAt,
    expiresAt: lifeSeconds === null ? null : new Date(createdAt.getTime() + lifeSeconds * 1_000),
  };
}

/** Joins the content into a new blob. The caller registers the blob as a file, or deletes it. */
export async function writeResultBlob(
  deps: Pick<WorkerDeps, "db" | "objects">,
  key: string,
  content: ResultContent,
): Promise<{ key: string; bytes: number; etag: string }> {
  return { key, ...(await writeBlob(deps, key, () => deps.objects.join(key, content))) };
}
