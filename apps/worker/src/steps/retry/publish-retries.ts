/**
 * Publishes the results of retries of a finished batch: gives the same files new contents, and sets new counts. Writes
 * to new keys; a compare-and-set picks the winner of a race. Everything that a client can see changes in the
 * transaction of the compare-and-set.
 */
import { randomUUID } from "node:crypto";
import { deleteBlobs } from "@nightshift/backends";
import {
  answeredRetries,
  findFile,
  publishRetries,
  type AnsweredRetry,
  type BatchView,
  type FileChange,
} from "@nightshift/db";
import { logFields, type WorkerDeps } from "../../deps.ts";
import { retriedErrors, retriedOutput } from "./retried-files.ts";
import type { ResultContent } from "../assemble/result-files.ts";
import { writeResultBlob, writeResultFile } from "../assemble/write-result-file.ts";

type PublishDeps = Pick<WorkerDeps, "db" | "objects" | "clock" | "logger" | "batchFileLifeSeconds">;

/** Resolves with false if there is nothing to publish, or if another worker published first. */
export async function publishAnswered(deps: PublishDeps, batch: BatchView): Promise<boolean> {
  const retries = await answeredRetries(deps.db, batch.batchNo);
  if (retries.length === 0) return false;
  const output = await outputChange(deps, batch, retries);
  const error = await errorChange(deps, batch, retries);
  if (await publishRetries(deps.db, { batch, retries, output, error }, deps.clock())) {
    const succeeded = retries.filter(({ failed }) => !failed).length;
    deps.logger.info(
      { ...logFields(batch), retries: retries.length, succeeded },
      "retried lines are in the batch's files",
    );
    return true;
  }
  const keys = [output, error].flatMap(writtenKeys);
  await deleteBlobs(deps, keys);
  return false;
}

async function outputChange(
  deps: PublishDeps,
  batch: BatchView,
  retries: readonly AnsweredRetry[],
): Promise<FileChange> {
  const succeeded = retries.filter(({ failed }) => !failed);
  if (succeeded.length === 0) return { kind: "keep" };
  if (batch.outputFileId === null) {
    const content = await retriedOutput(deps, batch, null, succeeded);
    return { kind: "create", file: await writeResultFile(deps, batch, "output", content) };
  }
  const old = await findFile(deps.db, batch.tenant, batch.outputFileId, deps.clock());
  if (old === null) return { kind: "keep" };
  return replacement(deps, old.id, old.blob, await retriedOutput(deps, batch, old, succeeded));
}

async function errorChange(
  deps: PublishDeps,
  batch: BatchView,
  retries: readonly AnsweredRetry[],
): Promise<FileChange> {
  if (batch.errorFileId === null) return { kind: "keep" };
  const old = await findFile(deps.db, batch.tenant, batch.errorFileId, deps.clock());
  const isLast = retries.filter(({ failed }) => !failed).length === batch.failed;
  if (old === null) return isLast ? { kind: "forget", fileId: batch.errorFileId } : { kind: "keep" };
  if (isLast) return { kind: "remove", fileId: old.id, oldBlob: old.blob };
  return replacement(deps, old.id, old.blob, await retriedErrors(deps, old, retries));
}

async function replacement(
  deps: PublishDeps,
  fileId: string,
  oldBlob: string,
  content: ResultContent,
): Promise<FileChange> {
  const key = `files/${fileId}-${randomUUID()}`;
  return { kind: "replace", fileId, oldBlob, content: await writeResultBlob(deps, key, content) };
}

function writtenKeys(change: FileChange): string[] {
  if (change.kind === "create") return [change.file.blob];
  return change.kind === "replace" ? [change.content.key] : [];
}
