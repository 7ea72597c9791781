/**
 * Finished batch with answered mends → the same files with new bytes, and counts to match. Writes to fresh keys; a
 * compare-and-set picks the winner of a race, and everything that a client can see changes in that one transaction.
 */
import { randomUUID } from "node:crypto";
import {
  answeredMends,
  findFile,
  forgetBlobs,
  publishMends,
  type AnsweredMend,
  type BatchView,
  type FileChange,
} from "@nightshift/db";
import type { WorkerDeps } from "../deps.ts";
import { logFacts } from "./log-facts.ts";
import { mendedErrors, mendedOutput } from "./mended-files.ts";
import type { ResultContent } from "./result-files.ts";
import { writeNotedBlob, writeResultFile } from "./write-result-file.ts";

type PublishDeps = Pick<WorkerDeps, "db" | "objects" | "clock" | "logger" | "batchFileLifeSeconds">;

/** True where the batch changed; false where there was nothing to publish, or somebody else was first. */
export async function publishAnswered(deps: PublishDeps, batch: BatchView): Promise<boolean> {
  const mends = await answeredMends(deps.db, batch.number);
  if (mends.length === 0) return false;
  const output = await outputChange(deps, batch, mends);
  const error = await errorChange(deps, batch, mends);
  if (await publishMends(deps.db, { batch, mends, output, error }, deps.clock())) {
    const succeeded = mends.filter(({ failed }) => !failed).length;
    deps.logger.info({ ...logFacts(batch), mends: mends.length, succeeded }, "retried lines are in the batch's files");
    return true;
  }
  const keys = [output, error].flatMap(writtenKeys);
  await deps.objects.delete(keys);
  await forgetBlobs(deps.db, keys);
  return false;
}

async function outputChange(deps: PublishDeps, batch: BatchView, mends: readonly AnsweredMend[]): Promise<FileChange> {
  const succeeded = mends.filter(({ failed }) => !failed);
  if (succeeded.length === 0) return { kind: "keep" };
  if (batch.outputFileId === null) {
    const content = await mendedOutput(deps, batch, null, succeeded);
    return { kind: "create", file: await writeResultFile(deps, batch, "output", content) };
  }
  const old = await findFile(deps.db, batch.tenant, batch.outputFileId, deps.clock());
  if (old === null) return { kind: "keep" };
  return replacement(deps, old.id, old.blob, await mendedOutput(deps, batch, old, succeeded));
}

async function errorChange(deps: PublishDeps, batch: BatchView, mends: readonly AnsweredMend[]): Promise<FileChange> {
  if (batch.errorFileId === null) return { kind: "keep" };
  const old = await findFile(deps.db, batch.tenant, batch.errorFileId, deps.clock());
  const isLast = mends.filter(({ failed }) => !failed).length === batch.failed;
  if (old === null) return isLast ? { kind: "forget", fileId: batch.errorFileId } : { kind: "keep" };
  if (isLast) return { kind: "remove", fileId: old.id, oldBlob: old.blob };
  return replacement(deps, old.id, old.blob, await mendedErrors(deps, old, mends));
}

async function replacement(
  deps: PublishDeps,
  fileId: string,
  oldBlob: string,
  content: ResultContent,
): Promise<FileChange> {
  const key = `files/${fileId}-${randomUUID()}`;
  return { kind: "replace", fileId, oldBlob, content: await writeNotedBlob(deps, key, content) };
}

function writtenKeys(change: FileChange): string[] {
  if (change.kind === "create") return [change.file.blob];
  return change.kind === "replace" ? [change.content.key] : [];
}
