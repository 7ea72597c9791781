/** Writes a result file of a batch, under a fresh id: its bytes, and what its row will say. */
import { randomBytes } from "node:crypto";
import { writeBlob } from "@nightshift/backends";
import type { BatchView, ResultFile } from "@nightshift/db";
import { newFileId, type ResultKind } from "@nightshift/domain";
import type { WorkerDeps } from "../deps.ts";
import type { ResultContent } from "./result-files.ts";

export type WriteResultFileDeps = Pick<WorkerDeps, "db" | "objects" | "clock" | "batchFileLifeSeconds">;

/** The row is the caller's to insert. It lives for as long as the batch asked for, else as the configuration says. */
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

/** Joins the content into a blob, which the caller registers as a file or deletes. */
export async function writeResultBlob(
  deps: Pick<WorkerDeps, "db" | "objects">,
  key: string,
  content: ResultContent,
): Promise<{ key: string; bytes: number; etag: string }> {
  return { key, ...(await writeBlob(deps, key, () => deps.objects.join(key, content))) };
}
